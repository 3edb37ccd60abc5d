"""Stage 9, rendering: a job or an error in the UNet dialect's words."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from rest_framework.response import Response

from jobs import selectors, storage
from jobs.models import Artifact, JobImage
from segmentation.encode import read_alpha
from segmentation.errors import MattingError

RAW_ALPHA_TYPE = "application/json+alpha"
# The dialect knows no 422; its clients look for 400.
_STATUS = {422: 400}


def render_single(image: JobImage, *, base_url: str) -> dict[str, Any]:
    """Give the answer of `single` for a picture that succeeded."""
    cutout = selectors.artifact_of(image, Artifact.Kind.CUTOUT)
    mask = selectors.artifact_of(image, Artifact.Kind.MASK)
    body: dict[str, Any] = {"status": "success", "result_path": cutout.key}
    if mask is not None:
        body["alpha_path"] = mask.key
    body |= {
        "processing_time_ms": processing_time_ms(image),
        "original_size": [image.width, image.height],
        "output_size": [cutout.width, cutout.height],
        "result_url": storage.link_to(cutout, base_url=base_url),
    }
    if mask is not None:
        body["alpha_url"] = storage.link_to(mask, base_url=base_url)
    return body


def render_raw_alpha(image: JobImage) -> dict[str, Any]:
    """Give the model's alpha before any threshold: little-endian float32, C order, 0..1, shape [height, width]."""
    stored = selectors.artifact_of(image, Artifact.Kind.ALPHA)
    alpha = np.ascontiguousarray(read_alpha(storage.read(stored.key)), dtype="<f4")
    return {
        "status": "success",
        "alpha_map_base64": base64.b64encode(alpha.tobytes()).decode("ascii"),
        "shape": list(alpha.shape),
        "dtype": "float32",
        "processing_time_ms": processing_time_ms(image),
    }


def render_error(error: MattingError) -> Response:
    status = _STATUS.get(error.http_status, error.http_status)
    return Response({"status": "error", "error": error.message, "code": error.code}, status=status)


def processing_time_ms(image: JobImage) -> int:
    return round((image.finished_at - image.started_at).total_seconds() * 1000)
