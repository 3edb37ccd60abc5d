"""rembg-compatible API: build the responses with results, and with errors in the format of FastAPI."""

from __future__ import annotations

import io

from django.http import HttpResponse
from PIL import Image
from rest_framework.response import Response

from jobs.errors import ParameterMissing
from jobs.models import Artifact, JobImage
from jobs.results import storage
from jobs.results.selectors import result_of
from segmentation.errors import MattingError

# Code of a MattingError to HTTP status. The body of 422 is FastAPI's list of fields, that of other statuses a sentence.
ERRORS: dict[str, int] = {
    "authentication_required": 401,
    "permission_denied": 403,
    "invalid_parameter": 422,
    "malformed_body": 400,
    "image_missing": 422,
    "image_unreadable": 400,
    "image_too_large": 413,
    "image_dimensions": 400,
    "content_refused": 400,
    "url_too_long": 422,
    "url_forbidden": 400,
    "download_failed": 400,
    "box_invalid": 422,
    "rate_limited": 429,
    "quota_exceeded": 429,
    "too_many_tasks": 429,
    "not_found": 404,
    "job_not_found": 404,
    "job_not_cancelable": 409,
    "canceled": 409,
    "idempotency_conflict": 409,
    "method_not_allowed": 405,
    "queue_unavailable": 503,
    "timeout": 503,
    "inference_failed": 500,
    "storage_failed": 503,
    "worker_lost": 500,
    "internal": 500,
}


def render_error(error: MattingError, *, where: str, status: int | None = None) -> Response:
    """Return the response to an error in the format of FastAPI.

    where: `query` or `body`, the part of the request that contains the wrong field.
    status: the HTTP status; None: the usual status for the error's code.
    """
    status = status or ERRORS[error.code]
    if status != 422:
        return Response({"detail": error.message}, status=status)
    kind = "missing" if isinstance(error, ParameterMissing) else "value_error"
    entry = {"loc": [where, error.field or "file"], "msg": error.message, "type": kind}
    return Response({"detail": [entry]}, status=status)


def render_result(image: JobImage, background: tuple[int, int, int, int] | None) -> HttpResponse:
    """Return a response with the cutout or the mask as PNG.

    This function draws a partly transparent background. The worker has already drawn an opaque background.

    background: red, green, blue and alpha, each from 0 to 255; None: no background.
    """
    artifact = result_of(image, Artifact.Kind.CUTOUT, Artifact.Kind.MASK)
    data = storage.read(artifact.key)
    if background is not None and artifact.kind == Artifact.Kind.CUTOUT and 0 < background[3] < 255:
        data = _on_color(data, background)
    return HttpResponse(data, content_type=artifact.content_type)


def _on_color(png: bytes, color: tuple[int, int, int, int]) -> bytes:
    cutout = Image.open(io.BytesIO(png)).convert("RGBA")
    buffer = io.BytesIO()
    Image.alpha_composite(Image.new("RGBA", cutout.size, color), cutout).save(buffer, "PNG")
    return buffer.getvalue()
