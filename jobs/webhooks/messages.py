"""Stage 9, callbacks: what a webhook message says and how it is signed (Standard Webhooks 1.0).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from jobs.models import Job

CallbackPayload = Callable[[Job], dict[str, Any]]

SECRET_PREFIX = "whsec_"  # noqa: S105  the standard's mark, no secret itself
# The delay before each try in seconds: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
RETRY_DELAYS_S = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
_callback_payloads: dict[str, CallbackPayload] = {}


def new_secret() -> str:
    """Make a signing secret: the standard's prefix and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def new_message_id() -> str:
    return f"msg_{secrets.token_hex(16)}"


def signed_headers(*, signing_secrets: Iterable[str], message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Give the headers of a message: one signature a secret, so that receivers can change secrets without a gap."""
    content = f"{message_id}.{timestamp_s}.".encode() + body
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{_signature(secret, content)}" for secret in signing_secrets),
    }


def body_of(payload: dict[str, Any]) -> bytes:
    """Write a payload as the bytes that are signed and sent."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def event_of(job: Job) -> str:
    return f"job.{job.status}"


def job_payload(job: Job) -> dict[str, Any]:
    """Describe a job's end. The message is thin: results are fetched with a key, so a leaked message opens nothing."""
    finished_at = job.finished_at.isoformat()
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


def callback_payload_register(dialect: str, payload: CallbackPayload) -> None:
    """Set the function that builds the callback's payload for jobs of a dialect."""
    _callback_payloads[dialect] = payload


def callback_payload(job: Job) -> dict[str, Any]:
    """Build the payload of a job's own callback, as its dialect registered it or with `job_payload`."""
    return _callback_payloads.get(job.dialect, job_payload)(job)


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
