"""The contract of the rembg-compatible API: its routes, example requests and error responses.

The tests that run for every dialect use these values. A dialect is an API of this site that imitates the API of another
service.
"""

from __future__ import annotations

from typing import Any

from jobs.api.rembg import serializers
from jobs.api.rembg.render import ERRORS
from jobs.api.rembg.views import RembgView
from segmentation.errors import MattingError
from tests.api.contracts import Submission

VIEW = RembgView
COLUMN = "rembg"
REFUSED = ("get", "/api/remove?url=https://pictures.example/a.jpg&bgc=red", None)
SUBMISSIONS = (
    Submission("/api/remove", file="file", another={"bgc": "1,2,3,99"}),
    Submission("/api/remove", query=lambda url: {"url": url}, another={"om": "true"}),
)
SERIALIZERS = (serializers.RembgUrlSerializer, serializers.RembgFileSerializer)
ROUTES = {"rembg-remove": "own", "rembg-nothing": "public"}


def envelope(error: MattingError) -> dict[str, Any]:
    if ERRORS[error.code] != 422:
        return {"detail": error.message}
    return {"detail": [{"loc": ["query", error.field or "file"], "msg": error.message, "type": "value_error"}]}


def written(code: str) -> str:
    return str(ERRORS[code])
