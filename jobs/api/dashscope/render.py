"""DashScope-compatible API: build the JSON of tasks, upload grants and errors.

The parameter `request_id` of these functions is the id of the request, which the response repeats.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework.response import Response

from jobs.api.base import RequestTooLarge
from jobs.api.dashscope.upload_grants import GRANT_TTL_S, UploadGrant
from jobs.errors import JobNotFound, UrlMalformed, error_of
from jobs.models import Artifact, Job, Status
from jobs.results import storage
from jobs.results.selectors import artifact_of
from jobs.work.selectors import images_of
from segmentation.errors import MattingError

MODEL = "image-instance-segmentation"
TASK_LIFE_S = 24 * 3600
MAX_FILE_BYTES = 10 * 2**20
UNKNOWN = "UNKNOWN"
# Upper case, because the SDK's `wait` recognises no other form.
TASK_STATUS: dict[str, str] = {
    Status.QUEUED: "PENDING",
    Status.RUNNING: "RUNNING",
    Status.SUCCEEDED: "SUCCEEDED",
    Status.FAILED: "FAILED",
    Status.CANCELED: "CANCELED",
}

# Code of a MattingError to HTTP status and `code`. A failed task has the same `code`, with HTTP status 200.
ERRORS: dict[str, tuple[int, str]] = {
    "authentication_required": (401, "InvalidApiKey"),
    "permission_denied": (403, "AccessDenied"),
    "invalid_parameter": (400, "InvalidParameter"),
    "malformed_body": (400, "InvalidParameter.JsonPhrase"),
    "image_missing": (400, "InvalidParameter"),
    "image_unreadable": (400, "InvalidParameter.ImageFormat"),
    "image_too_large": (400, "InvalidParameter"),
    "image_dimensions": (400, "InvalidParameter"),
    "content_refused": (400, "InvalidParameter.ImageContent"),
    "url_too_long": (400, "InvalidURL"),
    "url_forbidden": (400, "InvalidParameter.FileDownload"),
    "download_failed": (400, "InvalidParameter.FileDownload"),
    "box_invalid": (400, "InvalidParameter"),
    "rate_limited": (429, "Throttling.RateQuota"),
    "quota_exceeded": (429, "Throttling.AllocationQuota"),
    "too_many_tasks": (429, "Throttling"),
    "not_found": (404, "NotFound"),
    "job_not_found": (200, UNKNOWN),
    "job_not_cancelable": (400, "UnsupportedOperation"),
    "canceled": (409, TASK_STATUS[Status.CANCELED]),
    "idempotency_conflict": (409, "Conflict"),
    "method_not_allowed": (405, "MethodNotAllowed"),
    "queue_unavailable": (503, "InternalError"),
    "timeout": (500, "InternalError.Algo"),
    "inference_failed": (500, "InternalError.Algo"),
    "storage_failed": (503, "InternalError.FileUpload"),
    "worker_lost": (500, "InternalError.Algo"),
    "internal": (500, "InternalError.Algo"),
}
_URL_MALFORMED = (400, "InvalidURL")
_BODY_TOO_LARGE = (413, "BadRequest.TooLarge")

# A code without an entry has the message of the MattingError.
MESSAGES = {
    "InvalidApiKey": "Invalid API-key provided.",
    "InvalidParameter": "the parameters must conform to the specification: {detail}",
    "InvalidParameter.JsonPhrase": "input json error",
    "InvalidParameter.ImageFormat": "read image error",
    "InvalidParameter.ImageContent": "The image content does not comply with green network verification.",
    "InvalidParameter.FileDownload": "download for input_image error",
    "Throttling": "Too many requests in a short period, please try again later.",
    "Throttling.RateQuota": "Requests rate limit exceeded, please try again later.",
    "Throttling.AllocationQuota": "Allocated quota exceeded, please increase your quota limit.",
    "UnsupportedOperation": "Failed to cancel the task, please confirm if the task is in PENDING status.",
    "InternalError.Algo": "algorithm process error",
    "InternalError.FileUpload": "oss upload error",
}


def render_submitted(job: Job, *, request_id: str) -> dict[str, Any]:
    """Return the response body for a task that has just been submitted."""
    return {"output": {"task_status": TASK_STATUS[job.status], "task_id": str(job.id)}, "request_id": request_id}


def render_task(job: Job, *, request_id: str, base_url: str) -> dict[str, Any]:
    """Return the response body for a task.

    It contains links to the results if the task succeeded, and an error code with a message if the task failed.

    base_url: the site's URL, which is the beginning of each link.
    """
    output: dict[str, Any] = {
        "task_id": str(job.id),
        "task_status": TASK_STATUS[job.status],
        "submit_time": _clock(job.created_at),
        "scheduled_time": _clock(job.started_at or job.created_at),
    }
    if job.finished_at is not None:
        output["end_time"] = _clock(job.finished_at)
    body: dict[str, Any] = {"request_id": request_id, "output": output}
    if job.status == Status.SUCCEEDED:
        output |= _result(job, base_url)
        body["usage"] = {"image_count": 1}
    elif job.status == Status.FAILED:
        _, output["code"], output["message"] = _words(error_of(job.error_code, job.error_message))
    output["task_metrics"] = {
        "TOTAL": job.images_total,
        "SUCCEEDED": job.images_succeeded,
        "FAILED": job.images_failed,
    }
    return body


def render_unknown(task_id: str, *, request_id: str) -> dict[str, Any]:
    """Return the response body for a task that does not exist, belongs to another team, or has expired."""
    return {"request_id": request_id, "output": {"task_id": task_id, "task_status": UNKNOWN}}


def render_listed(job: Job) -> dict[str, Any]:
    """Return one entry for the list of tasks.

    Times are in milliseconds since 1970. `start_time` is None until a worker starts the task, and `end_time` is None
    until the task ends.
    """
    return {
        "task_id": str(job.id),
        "status": TASK_STATUS[job.status],
        "model_name": MODEL,
        "gmt_create": _milliseconds(job.created_at),
        "start_time": _milliseconds(job.started_at),
        "end_time": _milliseconds(job.finished_at),
        "api_key_id": job.api_key.public_id if job.api_key else "",
        "request_id": job.request_id,
    }


def render_policy(grant: UploadGrant, *, public_id: str, upload_host: str, request_id: str) -> dict[str, Any]:
    """Return the form fields that the SDK needs to upload a file. They are valid for GRANT_TTL_S seconds.

    upload_host: the URL to which the SDK uploads the file.
    public_id: the public id of the API key for which the grant was issued.
    """
    return {
        "request_id": request_id,
        "data": {
            "policy": grant.policy,
            "signature": grant.signature,
            "upload_dir": grant.directory,
            "upload_host": upload_host,
            "expire_in_seconds": GRANT_TTL_S,
            "max_file_size_mb": MAX_FILE_BYTES // 2**20,
            "capacity_limit_mb": MAX_FILE_BYTES // 2**20,
            "oss_access_key_id": public_id,
            "x_oss_object_acl": "private",
            "x_oss_forbid_overwrite": "true",
        },
    }


def render_error(error: MattingError, *, request_id: str) -> Response:
    """Return the response to an error in DashScope's format.

    JobNotFound is not an error in this format. For this error, the response has HTTP status 200 and describes a task
    with the state UNKNOWN.
    """
    if isinstance(error, JobNotFound):
        return Response(render_unknown(error.field, request_id=request_id))
    status, code, message = _words(error)
    return Response({"code": code, "message": message, "request_id": request_id}, status=status)


def error_codes() -> dict[int, set[str]]:
    """Return the error codes that rejected requests can have, grouped by HTTP status."""
    found: dict[int, set[str]] = {}
    for status, code in [*ERRORS.values(), _URL_MALFORMED, _BODY_TOO_LARGE]:
        if status >= 400:
            found.setdefault(status, set()).add(code)
    return dict(sorted(found.items()))


def _words(error: MattingError) -> tuple[int, str, str]:
    match error:
        case UrlMalformed():
            status, code = _URL_MALFORMED
        case RequestTooLarge():
            status, code = _BODY_TOO_LARGE
        case _:
            status, code = ERRORS[error.code]
    return status, code, MESSAGES.get(code, "{detail}").format(detail=error.message)


def _result(job: Job, base_url: str) -> dict[str, Any]:
    image = images_of(job)[0]
    links: dict[str, Any] = {}
    for name, kind in (
        ("output_image_url", Artifact.Kind.MASK),
        ("output_vis_image_url", Artifact.Kind.VISUALIZATION),
    ):
        artifact = artifact_of(image, kind)
        if artifact is not None:
            links[name] = storage.link_to(artifact, base_url=base_url, ttl_s=TASK_LIFE_S)
    people = [person | {"score": round(person["score"], 4)} for person in image.instances]
    return links | {"people": len(people), "instances": people}


def _clock(moment: dt.datetime) -> str:
    return timezone.localtime(moment).isoformat(sep=" ", timespec="milliseconds")[:23]


def _milliseconds(moment: dt.datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
