"""Native API: a request with `Accept: image/…` waits for the result and gets the picture instead of the job."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import FileResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from jobs.api.results import file_of
from jobs.models import Artifact, JobImage
from jobs.results import storage


class PictureOrJson(DefaultContentNegotiation):
    """Accept `image/…` beside JSON; errors are problem documents either way."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        if wants_picture(request):
            first = next(iter(renderers))
            return first, first.media_type
        return super().select_renderer(request, renderers, format_suffix)


def wants_picture(request: Request) -> bool:
    """Check whether the request asks for a picture."""
    return request.headers.get("Accept", "").startswith("image/")


def picture_response(image: JobImage) -> FileResponse:
    """Send the first output of a picture that succeeded; raise NotFound when it has been deleted."""
    kinds = Artifact.Kind
    artifact = file_of(image, kinds.CUTOUT, kinds.MASK, kinds.VISUALIZATION, kinds.ALPHA)
    return FileResponse(
        storage.open_file(artifact.key), content_type=artifact.content_type, filename=artifact.file_name
    )
