"""The contract of the DashScope-compatible API: its routes, example requests and error responses.

The tests that run for every dialect use these values. A dialect is an API of this site that imitates the API of another
service.
"""

from __future__ import annotations

from typing import Any

from jobs.api.dashscope import serializers
from jobs.api.dashscope.render import ERRORS
from jobs.api.dashscope.views import DashScopeView
from segmentation.errors import MattingError
from tests.api.contracts import Submission

VIEW = DashScopeView
COLUMN = "DashScope"
REFUSED = ("get", "/api/v1/tasks?page_no=0", None)
SUBMISSIONS = (
    Submission(
        "/api/v1/services/aigc/image2image/image-synthesis",
        body=lambda url: {"model": "image-instance-segmentation", "input": {"image_url": url}},
        another={"input": {"image_url": "https://pictures.example/other.jpg"}},
        headers={"X-DashScope-Async": "enable"},
    ),
)
SERIALIZERS = (
    serializers.DashScopeSubmitSerializer,
    serializers.DashScopeSubmitInputSerializer,
    serializers.DashScopeTaskFilterSerializer,
)
ROUTES = {
    "dashscope-submit": "own",
    "dashscope-submit-text": "own",
    "dashscope-tasks": "own",
    "dashscope-task": {"task_id": "job"},
    "dashscope-cancel": {"task_id": "job"},
    "dashscope-upload-policy": "own",
    "dashscope-upload-file": "own",
    "dashscope-nothing": "public",
}
UNTOLD = ("job_not_found",)  # an unknown task is the status UNKNOWN, not an error


def envelope(error: MattingError) -> dict[str, Any]:
    return {"code": ERRORS[error.code][1], "message": "<text>", "request_id": "<uuid>"}


def written(code: str) -> str:
    status, name = ERRORS[code]
    return f"{status} {name}"
