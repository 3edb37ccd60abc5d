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
    """Return the draft of a picture as WebP, or 204 if there is none.

    `wait` is the number of seconds to wait for it. The editor aborts the request when the picture has ended.
    """

    query_fields = ("wait",)
    is_rated = False  # one request for each submitted picture, which is rated itself

    @extend_schema(exclude=True)
    def get(self, request: Request, job_id: UUID, position: int) -> HttpResponseBase:
        image = image_at(job_get(self.actor, job_id), position)
        wait_s = self.wait_s() if has_draft(image) and not image.job.is_terminal else 0
        if not wait_s or draft_of(image) is not None:
            return _answer(image)
        return self.when_announced(topic_of_draft(image), timeout_s=wait_s, then=lambda: _answer(image))


def _answer(image: JobImage) -> HttpResponse:
    draft = draft_of(image)
    if draft is None:
        return HttpResponse(status=204)
    return HttpResponse(draft, content_type="image/webp", headers={"Cache-Control": "no-store"})
