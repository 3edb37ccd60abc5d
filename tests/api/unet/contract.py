"""The contract of the UNet matting API: its routes, example requests and error responses.

The tests that run for every dialect use these values. A dialect is an API of this site that imitates the API of another
service.
"""

from __future__ import annotations

from typing import Any

from jobs.api.unet import serializers
from jobs.api.unet.render import ERRORS
from jobs.api.unet.views import UNetView
from segmentation.errors import MattingError
from tests.api.contracts import Submission

VIEW = UNetView
COLUMN = "UNet"
REFUSED = ("post", "/api/matting/batch", {"input_dir": "a", "output_dir": "b", "alpha_threshold": 51})
SUBMISSIONS = (
    Submission("/api/matting/single", file="image", another={"alpha_threshold": 20}),
    Submission("/api/matting/batch", file="images", another={"keep_names": "true"}),
)
SERIALIZERS = (
    serializers.UNetSingleSerializer,
    serializers.UNetFolderSerializer,
    serializers.UNetUploadSerializer,
    serializers.UNetReloadSerializer,
)
ROUTES = {
    "unet-single": "own",
    "unet-batch": "own",
    "unet-task": {"task_id": "external_id"},
    "unet-reload": "own",
    "unet-nothing": "public",
    "unet-nothing-model": "public",
}


def envelope(error: MattingError) -> dict[str, Any]:
    return {"status": "error", "error": error.message, "code": error.code}


def written(code: str) -> str:
    return str(ERRORS[code])
