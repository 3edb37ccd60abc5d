"""UNet matting API: build the JSON of single pictures, batches, model changes and errors."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from rest_framework.response import Response

from jobs.models import Artifact, Job, JobImage, ModelVersion, Status
from jobs.results import storage
from jobs.results.selectors import artifact_of, bundle_of, file_of, missing_notes
from jobs.work.selectors import images_of
from segmentation.encode import read_alpha
from segmentation.errors import MattingError
from segmentation.postprocess import foreground_box, to_levels

RAW_ALPHA_TYPE = "application/json+alpha"

# Code of a MattingError to HTTP status. The dialect has no 422, because its clients expect 400.
ERRORS: dict[str, int] = {
    "authentication_required": 401,
    "permission_denied": 403,
    "invalid_parameter": 400,
    "malformed_body": 400,
    "image_missing": 400,
    "image_unreadable": 400,
    "image_too_large": 413,
    "image_dimensions": 400,
    "content_refused": 400,
    "url_too_long": 400,
    "url_forbidden": 400,
    "download_failed": 400,
    "box_invalid": 400,
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
TASK_STATES = {
    Status.QUEUED: "submitted",
    Status.RUNNING: "processing",
    Status.SUCCEEDED: "completed",
    Status.FAILED: "failed",
    Status.CANCELED: "failed",
}
CANCELED = "The task was cancelled."


def render_single(image: JobImage, *, base_url: str, folder: str = "") -> dict[str, Any]:
    """Return the response body for a single picture that was processed successfully.

    base_url: the site's URL, which is the beginning of each link.
    folder: the path of the folder with copies of the results; an empty string if there are no copies.
    """
    cutout = file_of(image, Artifact.Kind.CUTOUT)
    mask = artifact_of(image, Artifact.Kind.MASK)
    body: dict[str, Any] = {"status": "success", "result_path": _path_of(cutout, image, folder)}
    if mask is not None:
        body["alpha_path"] = _path_of(mask, image, folder)
    body |= {
        "processing_time_ms": processing_time_ms(image),
        "original_size": [image.width, image.height],
        "output_size": [cutout.width, cutout.height],
        "result_url": storage.link_to(cutout, base_url=base_url),
    }
    if mask is not None:
        body["alpha_url"] = storage.link_to(mask, base_url=base_url)
    return body | missing_notes(image)


def _path_of(artifact: Artifact, image: JobImage, folder: str) -> str:
    return f"{folder}{storage.public_name(artifact, image)}" if folder else artifact.key


def render_raw_alpha(image: JobImage) -> dict[str, Any]:
    """Return the response body with the alpha of the model, to which no threshold was applied.

    The base64 text contains float32 values from 0 to 1, little-endian, in C order, with the shape (H, W).
    """
    stored = file_of(image, Artifact.Kind.ALPHA)
    alpha = np.ascontiguousarray(read_alpha(storage.read(stored.key)), dtype="<f4")
    return {
        "status": "success",
        "alpha_map_base64": base64.b64encode(alpha.tobytes()).decode("ascii"),
        "shape": list(alpha.shape),
        "dtype": "float32",
        "processing_time_ms": processing_time_ms(image),
        **({} if foreground_box(to_levels(alpha)) else missing_notes(image)),
    }


def render_submitted(job: Job, *, estimated_time_s: int) -> dict[str, Any]:
    """Return the response body of a new batch.

    estimated_time_s: the estimated number of seconds until the batch is done.
    """
    return {
        "status": "submitted",
        "task_id": job.external_id,
        "input_count": job.images_total,
        "estimated_time_sec": estimated_time_s,
        "output_dir": job.wire["output_dir"],
    }


def render_task(job: Job, *, base_url: str) -> dict[str, Any]:
    """Return the response body with the state of a batch: the current counts and the files.

    After the end of the batch, the body also contains the duration and, if the batch succeeded, the zip.

    base_url: the site's URL, which is the beginning of the link to the zip.
    """
    images = images_of(job)
    body: dict[str, Any] = {
        "status": TASK_STATES[Status(job.status)],
        "processed": job.images_succeeded,
        "failed": job.images_failed,
        "output_dir": job.wire["output_dir"],
    }
    bundle = bundle_of(job)
    if job.status == Status.SUCCEEDED and bundle is not None:
        body["zip_path"] = job.wire["zip_path"]
        body["zip_url"] = storage.link_to(bundle, base_url=base_url)
    if job.finished_at is not None:
        body["total_time_ms"] = round((job.finished_at - job.created_at).total_seconds() * 1000)
    if body["status"] == "failed":
        body |= {"error": job.error_message or CANCELED, "code": job.error_code or job.status}
    return body | {"files": [_file(job, image) for image in images]}


def _file(job: Job, image: JobImage) -> dict[str, str]:
    row = {"name": image.name, "status": TASK_STATES[Status(image.status)]}
    if image.status == Status.SUCCEEDED:
        for name, kind in (("result_path", Artifact.Kind.CUTOUT), ("alpha_path", Artifact.Kind.MASK)):
            artifact = artifact_of(image, kind)
            if artifact is not None:
                copy = job.wire["output_dir"] + storage.public_name(artifact, image)
                row[name] = artifact.key if job.output_folder else copy
    if row["status"] == "failed":
        row |= {"error": image.error_message or CANCELED, "code": image.error_code or image.status}
    return row


def render_reloaded(version: ModelVersion, previous: ModelVersion | None) -> dict[str, Any]:
    """Return the response body after another model was activated.

    previous: the model that was active before; None if no model was active.
    """
    return {
        "status": "success",
        "model_path": version.path,
        "model": version.name,
        "sha256": version.sha256,
        "previous": None if previous is None else previous.path,
    }


def render_error(error: MattingError) -> Response:
    """Return the response to an error in the format of the UNet matting API: `status`, `error` and `code`."""
    return Response({"status": "error", "error": error.message, "code": error.code}, status=ERRORS[error.code])


def processing_time_ms(image: JobImage) -> int:
    """Return how long a worker processed the picture, in milliseconds; 0 if the processing has not ended."""
    if image.started_at is None or image.finished_at is None:
        return 0
    return round((image.finished_at - image.started_at).total_seconds() * 1000)
