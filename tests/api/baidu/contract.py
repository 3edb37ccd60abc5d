"""The contract of the Baidu-compatible API: values for the tests that run for every dialect.

A dialect is an API of this site that imitates the API of another service.
"""

from __future__ import annotations

from typing import Any

from jobs.api.baidu import serializers
from jobs.api.baidu.render import ERRORS, IMAGE_EMPTY
from jobs.api.baidu.views import BaiduView
from segmentation.errors import MattingError
from tests.api.contracts import Submission

VIEW = BaiduView
COLUMN = "Baidu"
REFUSED = ("post", "/rest/2.0/image-process/v1/segment", {"image": "eA==", "method": "magic"})
SUBMISSIONS = (
    Submission("/rest/2.0/image-process/v1/segment", base64="image", another={"return_form": "mask"}),
    Submission("/rest/2.0/image-process/v1/segment", body=lambda url: {"url": url}, another={"refine_mask": False}),
)
SERIALIZERS = (serializers.BaiduTokenRequestSerializer, serializers.BaiduSegmentSerializer)
ROUTES = {
    "baidu-token": "public",
    "baidu-segment": "own",
    "baidu-nothing": "public",
    "baidu-nothing-oauth": "public",
}
ALWAYS_200 = True


def envelope(error: MattingError) -> dict[str, Any]:
    # The table has the code for a missing picture; this error is about an empty picture.
    code = IMAGE_EMPTY if error.code == "image_missing" else ERRORS[error.code]
    return {"error_code": code, "error_msg": "<text>", "log_id": "<digits>"}


def written(code: str) -> str:
    return str(ERRORS[code])
