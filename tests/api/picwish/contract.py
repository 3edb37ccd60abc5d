"""The contract of the PicWish-compatible API: its routes, example requests and error responses.

The tests that run for every dialect use these values. A dialect is an API of this site that imitates the API of another
service.
"""

from __future__ import annotations

from typing import Any

from jobs.api.picwish import serializers
from jobs.api.picwish.render import ERRORS
from jobs.api.picwish.views import PicWishView
from segmentation.errors import MattingError
from tests.api.contracts import Submission

VIEW = PicWishView
COLUMN = "PicWish"
REFUSED = ("post", "/task/pic/segmentation", {"image_base64": "eA==", "crop": 5})
SUBMISSIONS = (
    Submission("/task/pic/segmentation", file="image_file", another={"return_type": "2"}),
    Submission("/api/tasks/visual/segmentation", base64="image_base64", another={"crop": "1"}),
    Submission("/task/pic/segmentation", body=lambda url: {"image_url": url}, another={"type": "person"}),
)
SERIALIZERS = (serializers.SegmentationSerializer,)
ROUTES = {
    "picwish-submit": "own",
    "picwish-task-long": {"task_id": "external_id"},
    "picwish-task": {"task_id": "external_id"},
    "picwish-vendor-submit": "own",
    "picwish-vendor-task": {"task_id": "external_id"},
    "picwish-nothing": "public",
    "picwish-vendor-nothing": "public",
}


def envelope(error: MattingError) -> dict[str, Any]:
    return {"status": ERRORS[error.code].status, "message": error.message}


def written(code: str) -> str:
    place = ERRORS[code]
    return f"{place.status}, state {place.state}"
