"""The contract of the remove.bg-compatible API: its routes, example requests and error responses.

The tests that run for every dialect use these values. A dialect is an API of this site that imitates the API of another
service.
"""

from __future__ import annotations

from typing import Any

from jobs.api.removebg import serializers
from jobs.api.removebg.render import ERRORS
from jobs.api.removebg.views import RemoveBgView
from jobs.errors import AuthenticationRequired
from segmentation.errors import MattingError
from tests.api.contracts import Submission

VIEW = RemoveBgView
COLUMN = "remove.bg"
REFUSED = ("post", "/v1.0/removebg", {"image_url": "https://pictures.example/a.jpg", "size": "huge"})
SUBMISSIONS = (
    Submission("/v1.0/removebg", file="image_file", another={"size": "full"}),
    Submission("/v1.0/removebg", body=lambda url: {"image_url": url}, another={"bg_color": "red"}),
)
SERIALIZERS = (serializers.RemoveBgSerializer,)
ROUTES = {"removebg-remove": "own", "removebg-account": "own", "removebg-nothing": "public"}


def envelope(error: MattingError) -> dict[str, Any]:
    # Without a key, the same error has another code; the table has the code for a wrong key.
    code = "missing_api_key" if isinstance(error, AuthenticationRequired) else ERRORS[error.code][1]
    return {"errors": [{"title": error.public_message, "detail": error.message, "code": code}]}


def written(code: str) -> str:
    status, name = ERRORS[code]
    return f"{status} {name}"
