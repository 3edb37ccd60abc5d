"""Stage 9, rendering: a job or an error in the native API's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from jobs.models import Artifact, Job, JobImage
from jobs.results import storage
from jobs.sentences import explained
from jobs.work.selectors import images_of
from segmentation.errors import MattingError


class ProblemRenderer(JSONRenderer):
    """Write errors as application/problem+json (RFC 9457)."""

    media_type = "application/problem+json"
    format = "problem"


def render_job(job: Job, *, base_url: str, images: Sequence[JobImage] | None = None) -> dict[str, Any]:
    """Return a job with its pictures, or with some of them, and links that open their files."""
    return {
        "id": str(job.id),
        "status": job.status,
        "dialect": job.dialect,
        "options": job.options,
        "error": _error(job.error_code, job.error_message),
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
        "images_total": job.images_total,
        "images_succeeded": job.images_succeeded,
        "images_failed": job.images_failed,
        "images": [_image(image, base_url) for image in (images_of(job) if images is None else images)],
    }


def render_problem(error: MattingError, *, request_id: str = "") -> Response:
    """Give the problem document of an error."""
    body = {
        "type": f"/docs/errors#{error.code}",
        "title": explained(error.code, error.public_message),
        "status": error.http_status,
        "detail": explained(error.code, error.message),
        "code": error.code,
    }
    if error.field:
        body["field"] = error.field
    if request_id:
        body["request_id"] = request_id
    return Response(body, status=error.http_status, content_type=ProblemRenderer.media_type)


def _image(image: JobImage, base_url: str) -> dict[str, Any]:
    return {
        "id": str(image.id),
        "position": image.position,
        "name": image.name,
        "status": image.status,
        "error": _error(image.error_code, image.error_message),
        "width": image.width,
        "height": image.height,
        "foreground": image.foreground,
        "subject": image.subject,
        "uncertainty": image.uncertainty,
        "instances": image.instances,
        "notes": image.notes,
        "timings_ms": image.timings_ms,
        "model": image.model_version,
        "files": [render_file(artifact, base_url=base_url) for artifact in image.artifacts.all()],
    }


def render_file(artifact: Artifact, *, base_url: str, link_ttl_s: int | None = None) -> dict[str, Any]:
    """Give one stored file with a signed link."""
    return {
        "kind": artifact.kind,
        "url": storage.link_to(artifact, base_url=base_url, ttl_s=link_ttl_s),
        "content_type": artifact.content_type,
        "bytes": artifact.bytes,
        "width": artifact.width,
        "height": artifact.height,
    }


def _error(code: str, message: str) -> dict[str, str] | None:
    return {"code": code, "detail": explained(code, message)} if code else None
