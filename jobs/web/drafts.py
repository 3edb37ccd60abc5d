"""The draft of a picture, for the editor that waits for its result."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from jobs.api.native.base import NativeView
from jobs.models import JobImage
from jobs.work.drafts import draft_of, has_draft, topic_of_draft
from jobs.work.selectors import image_at, job_get


class DraftView(NativeView):
    """View that returns the draft of a picture as WebP.

    The query parameter `wait` is the number of seconds to wait for the draft. Without a draft, the status is 202 if it
    may still come, and 204 otherwise. The editor aborts the request when the picture has ended.
    """

    query_fields = ("wait",)

    @extend_schema(exclude=True)
    def get(self, request: Request, job_id: UUID, position: int) -> HttpResponseBase:
        image = image_at(job_get(self.actor, job_id), position)
        wait_s = self.wait_s()
        draft = draft_of(image) if has_draft(image) else None
        if draft is not None or not wait_s or not _may_come(image):
            return _answer(image, draft)
        topic = topic_of_draft(image)
        return self.when_announced(topic, timeout_s=wait_s, then=lambda: _answer(image, draft_of(image)))


def _may_come(image: JobImage) -> bool:
    return has_draft(image) and not image.job.is_terminal


def _answer(image: JobImage, draft: bytes | None) -> HttpResponse:
    if draft is None:
        return HttpResponse(status=202 if _may_come(image) else 204)
    return HttpResponse(draft, content_type="image/webp", headers={"Cache-Control": "no-store"})
