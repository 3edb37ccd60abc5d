"""Register the PicWish-compatible API as an API dialect (an emulated vendor API)."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from jobs.api.registry import Dialect, register
from jobs.models import Job

NAME = "picwish"


def routes() -> list[URLPattern]:
    """Return the URL patterns of the PicWish-compatible API."""
    from .urls import urlpatterns

    return urlpatterns


def callback_payload(job: Job) -> dict[str, Any]:
    """Return the payload of a job's callback. It is the same JSON as the response to a request for the task."""
    from .render import render_task

    return render_task(job, base_url=job.wire["base_url"])


register(
    Dialect(
        name=NAME,
        label=_("PicWish"),
        routes=routes,
        response_headers=("X-Task-Id",),
        callback_payload=callback_payload,
    )
)
