"""Stage 9, rendering: who asks for `Accept: image/…` waits, and gets the cutout itself instead of the job."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from jobs.errors import NotFound
from jobs.models import Artifact, JobImage
from jobs.results import storage
from jobs.results.selectors import artifact_of

NOTES_HEADER = "Keyline-Notes"  # what the job's JSON tells under `notes`, such as that nothing was found


class PictureOrJson(DefaultContentNegotiation):
    """Accept `image/…` beside JSON; errors stay problem documents either way."""

    def select_renderer(self, request: Request, renderers: list[Any], format_suffix: str | None = None) -> tuple:
        if wants_picture(request):
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)


def wants_picture(request: Request) -> bool:
    return request.headers.get("Accept", "").startswith("image/")


def picture_response(image: JobImage) -> FileResponse:
    """Give the first output of a picture that succeeded; raise NotFound when it has been deleted."""
    for kind in (Artifact.Kind.CUTOUT, Artifact.Kind.MASK, Artifact.Kind.VISUALIZATION, Artifact.Kind.ALPHA):
        artifact = artifact_of(image, kind)
        if artifact is not None:
            response = FileResponse(
                storage.open_file(artifact.key), content_type=artifact.content_type, filename=artifact.file_name
            )
            if image.notes:
                response[NOTES_HEADER] = "; ".join(image.notes)
            return response
    raise NotFound("The result has been deleted.")
