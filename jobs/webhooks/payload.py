"""The JSON of webhook messages: the native format, and other formats for callbacks.

Each API dialect (an emulated vendor API) may register its own format for the callbacks of its jobs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from jobs.models import Job, Webhook

TEST_EVENT = "webhook.test"  # only a button sends it, so webhooks do not list this event

CallbackPayload = Callable[[Job], dict[str, Any]]

_callback_payloads: dict[str, CallbackPayload] = {}


def event_of(job: Job) -> str:
    return f"job.{job.status}"


def job_payload(job: Job) -> dict[str, Any]:
    """Return the message about the end of a job, in the native format.

    The message contains no picture. The receiver requests the results with an API key.
    """
    finished_at = job.finished_at.isoformat() if job.finished_at else None
    return {
        "type": event_of(job),
        "timestamp": finished_at,
        "data": {
            "id": str(job.id),
            "status": job.status,
            "dialect": job.dialect,
            "error": {"code": job.error_code, "detail": job.error_message} if job.error_code else None,
            "images_total": job.images_total,
            "images_succeeded": job.images_succeeded,
            "images_failed": job.images_failed,
            "created_at": job.created_at.isoformat(),
            "finished_at": finished_at,
        },
    }


def payload_of_test(webhook: Webhook) -> dict[str, Any]:
    """Return the payload of a test message."""
    return {
        "type": TEST_EVENT,
        "timestamp": timezone.now().isoformat(),
        "data": {"webhook": str(webhook.pk), "message": "This is a test of your webhook."},
    }


def callback_payload_register(dialect: str, payload: CallbackPayload) -> None:
    """Register the function that builds the callback payload for jobs of an API dialect (an emulated vendor API)."""
    _callback_payloads[dialect] = payload


def callback_payload(job: Job) -> dict[str, Any]:
    """Return the payload of a job's callback.

    The function that is registered for the job's API dialect builds it. If there is none, `job_payload` builds it.
    """
    return _callback_payloads.get(job.dialect, job_payload)(job)


def body_of(payload: dict[str, Any]) -> bytes:
    """Return a payload as JSON bytes. These bytes are signed and sent."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
