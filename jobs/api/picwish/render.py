"""PicWish-compatible API: build the JSON of tasks and errors."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.response import Response

from jobs.models import Artifact, Job, JobImage, Status
from jobs.results import storage
from jobs.results.selectors import artifact_of, file_of
from jobs.work.selectors import images_of
from segmentation.errors import MattingError

from .serializers import BASE64


class Words(NamedTuple):
    """How the PicWish-compatible API reports an error.

    status: the HTTP status of the response if the error rejects a request.
    state: the value of the field `state` if the error makes a task fail.
    """

    status: int
    state: int


FAILED, NOT_STORED, DOWNLOAD_FAILED, TOO_LARGE, INVALID_FILE, TIMED_OUT = -1, -2, -3, -5, -7, -8
NOTHING_FOUND, CANCELED = -11, -13
QUEUED, COMPLETE, PREPARING, WAITING, PROCESSING = 0, 1, 2, 3, 4

ERRORS: dict[str, Words] = {
    "authentication_required": Words(401, FAILED),
    "permission_denied": Words(403, FAILED),
    "invalid_parameter": Words(400, FAILED),
    "malformed_body": Words(400, FAILED),
    "image_missing": Words(400, INVALID_FILE),
    "image_unreadable": Words(400, INVALID_FILE),
    "image_too_large": Words(413, TOO_LARGE),
    "image_dimensions": Words(400, INVALID_FILE),
    "content_refused": Words(400, INVALID_FILE),
    "url_too_long": Words(400, DOWNLOAD_FAILED),
    "url_forbidden": Words(400, DOWNLOAD_FAILED),
    "download_failed": Words(400, DOWNLOAD_FAILED),
    "box_invalid": Words(400, FAILED),
    "rate_limited": Words(429, FAILED),
    "quota_exceeded": Words(429, FAILED),
    "too_many_tasks": Words(429, FAILED),
    "not_found": Words(404, FAILED),
    "job_not_found": Words(404, FAILED),
    "job_not_cancelable": Words(409, FAILED),
    "canceled": Words(409, CANCELED),
    "idempotency_conflict": Words(409, FAILED),
    "method_not_allowed": Words(405, FAILED),
    "queue_unavailable": Words(503, FAILED),
    "timeout": Words(503, TIMED_OUT),
    "inference_failed": Words(500, FAILED),
    "storage_failed": Words(503, NOT_STORED),
    "worker_lost": Words(500, FAILED),
    "internal": Words(500, FAILED),
}
DETAILS = {
    QUEUED: "queued",
    COMPLETE: "Complete",
    PREPARING: "preparing",
    WAITING: "waiting",
    PROCESSING: "processing",
    FAILED: "failed",
    NOT_STORED: "result could not be stored",
    DOWNLOAD_FAILED: "download failed",
    TOO_LARGE: "too large",
    INVALID_FILE: "invalid file",
    TIMED_OUT: "timed out",
    NOTHING_FOUND: "nothing found",
    CANCELED: "cancelled",
}
# The progress is 100 only in state 1, because some clients stop polling at progress 100.
PROGRESS = {QUEUED: 0, WAITING: 10, PREPARING: 20, PROCESSING: 50, COMPLETE: 100}


def state_of(job: Job, image: JobImage) -> int:
    """Return the number that represents the state of a task. It is negative if the task ended without a result.

    A task is a job with one picture. Some states need an explanation:
    - "nothing found": the cutout has no visible pixel.
    - "queued": the picture waits for its first attempt.
    - "waiting": the picture waits for another attempt.
    - "preparing": a worker downloads the picture, or the picture waits after its download. The state does not return to
      "waiting" after the download, so that the progress never decreases.
    """
    if job.status == Status.SUCCEEDED:
        return COMPLETE if image.foreground else NOTHING_FOUND
    if job.status == Status.CANCELED:
        return CANCELED
    if job.status == Status.FAILED:
        return ERRORS[job.error_code].state
    if image.status == Status.QUEUED:
        if image.timings_ms:
            return PREPARING
        return WAITING if image.attempt else QUEUED
    is_downloading = image.source_url and artifact_of(image, Artifact.Kind.SOURCE) is None
    return PREPARING if is_downloading else PROCESSING


def render_submitted(job: Job) -> dict[str, Any]:
    """Return the response body for a task whose result the client requests later."""
    return {"status": 200, "data": {"task_id": job.external_id}}


def render_task(job: Job, *, base_url: str) -> dict[str, Any]:
    """Return the response body with the state of a task, and with the result if the task is complete.

    base_url: the site's URL, which is the beginning of each link.
    """
    image = images_of(job)[0]
    state = state_of(job, image)
    fetch_ms = image.timings_ms.get("fetch", 0.0)
    data: dict[str, Any] = {
        "task_id": job.external_id,
        "state": state,
        "state_detail": DETAILS[state],
        "progress": PROGRESS.get(state, 0),
        "created_at": _seconds(job.created_at),
        "processed_at": _seconds(image.started_at),
        "completed_at": _seconds(image.finished_at if job.is_terminal else None),
        "download_time": round(fetch_ms) if image.source_url else 0,
        "time_elapsed": max(0.0, image.timings_ms.get("total", 0.0) - fetch_ms),
        "err_info": _reason(job, state),
        "image_width": image.width or 0,
        "image_height": image.height or 0,
        "output_type": job.wire["output_type"],
        "return_type": job.wire["return_type"],
        "result_type": image.subject if state == COMPLETE else "",
        "type": job.wire["type"],
    }
    if state == COMPLETE:
        data |= _result(job, image, base_url)
    return {"status": 200, "data": data}


def render_binary(job: Job) -> HttpResponse | None:
    """Return a response with the cutout, or with the mask if the client requested only the mask.

    Return None if the task is not complete.
    """
    image = images_of(job)[0]
    if state_of(job, image) != COMPLETE:
        return None
    artifact = file_of(image, Artifact.Kind.CUTOUT, Artifact.Kind.MASK)
    response = HttpResponse(storage.read(artifact.key), content_type=artifact.content_type)
    response["X-Task-Id"] = job.external_id
    return response


def render_error(error: MattingError) -> Response:
    """Return the response to an error in PicWish's format."""
    status = ERRORS[error.code].status
    return Response({"status": status, "message": error.message}, status=status)


def _result(job: Job, image: JobImage, base_url: str) -> dict[str, Any]:
    left, top, right, bottom = image.foreground or (0, 0, 0, 0)
    files: dict[str, Any] = {"foreground_rect": {"x": left, "y": top, "width": right - left, "height": bottom - top}}
    for name, kind in (("image", Artifact.Kind.CUTOUT), ("mask", Artifact.Kind.MASK)):
        artifact = artifact_of(image, kind)
        if artifact is not None:
            files[name] = _file(job, artifact, base_url)
    return files


def _file(job: Job, artifact: Artifact, base_url: str) -> str:
    """Return a file as base64 or as a link, depending on the request's `return_type`.

    A link is valid as long as the file exists.
    """
    if job.wire["return_type"] == BASE64:
        return base64.b64encode(storage.read(artifact.key)).decode("ascii")
    if artifact.expires_at is None:
        return storage.link_to(artifact, base_url=base_url)
    left_s = (artifact.expires_at - timezone.now()).total_seconds()
    return storage.link_to(artifact, base_url=base_url, ttl_s=max(0, int(left_s)))


def _reason(job: Job, state: int) -> str:
    if state == NOTHING_FOUND:
        return "No subject was found in this picture."
    return job.error_message or ("The task was cancelled." if state == CANCELED else "")


def _seconds(moment: dt.datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp())
