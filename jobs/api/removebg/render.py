"""remove.bg-compatible API: build the headers and the JSON of results, of the account and of errors."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from rest_framework.response import Response

from jobs.errors import AuthenticationRequired
from jobs.models import JobImage
from jobs.quota.windows import Allowance
from jobs.teams.rates import Standing
from segmentation.errors import MattingError

from .canvas import MEGAPIXEL, PREVIEW_SIZES, SIZES, Drawn, ForegroundUnknown, SourceMissing, SourcesSeveral, fitted

UNLIMITED_CREDITS = 1_000_000  # for a team without a quota of pictures
TYPES = {"person": "person", "stamp": "graphic", "object": "other"}

# Code of a MattingError to HTTP status and `code`.
ERRORS: dict[str, tuple[int, str]] = {
    "authentication_required": (403, "auth_failed"),
    "permission_denied": (403, "auth_failed"),
    "invalid_parameter": (400, "invalid_parameter"),
    "malformed_body": (400, "invalid_parameter"),
    "image_missing": (400, "missing_source"),
    "image_unreadable": (400, "failed_to_read_image"),
    "image_too_large": (400, "file_size_limit_exceeded"),
    "image_dimensions": (400, "resolution_limit_exceeded"),
    "content_refused": (400, "failed_to_read_image"),
    "url_too_long": (400, "invalid_image_url"),
    "url_forbidden": (400, "invalid_image_url"),
    "download_failed": (400, "invalid_image_url"),
    "box_invalid": (400, "invalid_parameter"),
    "rate_limited": (429, "rate_limit_exceeded"),
    "quota_exceeded": (402, "insufficient_credits"),
    "too_many_tasks": (429, "rate_limit_exceeded"),
    "not_found": (404, "not_found"),
    "job_not_found": (404, "not_found"),
    "job_not_cancelable": (409, "conflict"),
    "canceled": (409, "conflict"),
    "idempotency_conflict": (409, "conflict"),
    "method_not_allowed": (405, "method_not_allowed"),
    "queue_unavailable": (503, "service_unavailable"),
    "timeout": (503, "service_unavailable"),
    "inference_failed": (500, "internal_error"),
    "storage_failed": (503, "service_unavailable"),
    "worker_lost": (500, "internal_error"),
    "internal": (500, "internal_error"),
}


def render_error(error: MattingError, *, has_key: bool) -> Response:
    """Return the response to an error in remove.bg's format.

    has_key: whether the request contains an API key.
    """
    status, code = ERRORS[error.code]
    match error:
        case SourceMissing():
            code = "missing_source"
        case SourcesSeveral():
            code = "multiple_sources"
        case ForegroundUnknown():
            code = "unknown_foreground"
        case AuthenticationRequired() if not has_key:
            code = "missing_api_key"
    entry = {"title": error.public_message, "detail": error.message, "code": code}
    return Response({"errors": [entry]}, status=status)


def render_json(drawn: Drawn) -> dict[str, Any]:
    """Return the response body of a result in JSON. The body contains the file as base64."""
    left, top, right, bottom = drawn.foreground
    return {
        "data": {
            "result_b64": base64.b64encode(drawn.data).decode("ascii"),
            "foreground_top": top,
            "foreground_left": left,
            "foreground_width": right - left,
            "foreground_height": bottom - top,
        }
    }


def headers_of(image: JobImage, drawn: Drawn, *, size: str, type_level: str) -> dict[str, str]:
    """Return the response headers that describe a result.

    drawn: the result in the response.
    size, type_level: the request fields with these names.
    """
    left, top, right, bottom = drawn.foreground
    most = fitted(image.width or 1, image.height or 1, SIZES["full"] * MEGAPIXEL)
    return {
        "X-Type": "none" if type_level == "none" else TYPES.get(image.subject, "other"),
        "X-Width": str(drawn.width),
        "X-Height": str(drawn.height),
        "X-Max-Width": str(most[0]),
        "X-Max-Height": str(most[1]),
        "X-Credits-Charged": "0.25" if size in PREVIEW_SIZES else "1",
        "X-Foreground-Top": str(top),
        "X-Foreground-Left": str(left),
        "X-Foreground-Width": str(right - left),
        "X-Foreground-Height": str(bottom - top),
    }


def rate_headers(standings: Sequence[Standing]) -> dict[str, str]:
    """Return remove.bg's response headers for the first of the team's rate limits.

    Return an empty dict if the team has no rate limits.
    """
    if not standings:
        return {}
    first = standings[0]
    return {
        "X-RateLimit-Limit": str(first.limit),
        "X-RateLimit-Remaining": str(first.left),
        "X-RateLimit-Reset": str(first.resets_in_s),
    }


def render_account(month: Allowance) -> dict[str, Any]:
    """Return the response body of the account. One credit is one picture that the team may still process this month.

    If the team has no monthly quota, the account has UNLIMITED_CREDITS credits.
    """
    credits = UNLIMITED_CREDITS if month.left is None else month.left
    amounts = {"total": credits, "subscription": credits, "payg": 0, "enterprise": 0}
    return {"data": {"attributes": {"credits": amounts, "api": {"free_calls": 0, "sizes": "all"}}}}
