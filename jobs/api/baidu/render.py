"""Baidu-compatible API: build the JSON of results, access tokens and errors."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from rest_framework.response import Response

from jobs.api.baidu.tokens import TOKEN_TTL_S
from jobs.errors import ParameterMissing, QuotaExceeded
from jobs.models import Artifact, JobImage
from jobs.results import storage
from jobs.results.selectors import file_of, missing_notes
from segmentation.errors import ImageMissing, MattingError

from .errors import ParameterTooLong, TokenExpired

# The official SDK rejects a token whose scope does not contain `brain_all_scope`.
SCOPE = "public brain_all_scope"

# Code of a MattingError to `error_code`. The HTTP status is 200 for errors too, because clients read only the body.
ERRORS: dict[str, int] = {
    "authentication_required": 110,
    "permission_denied": 6,
    "invalid_parameter": 216100,
    "malformed_body": 216100,
    "image_missing": 216101,
    "image_unreadable": 216201,
    "image_too_large": 216202,
    "image_dimensions": 216202,
    "content_refused": 216100,
    "url_too_long": 282114,
    "url_forbidden": 282804,
    "download_failed": 282804,
    "box_invalid": 216100,
    "rate_limited": 18,
    "quota_exceeded": 19,
    "too_many_tasks": 4,
    "not_found": 3,
    "job_not_found": 3,
    "job_not_cancelable": 216100,
    "canceled": 282000,
    "idempotency_conflict": 216100,
    "method_not_allowed": 3,
    "queue_unavailable": 2,
    "timeout": 282000,
    "inference_failed": 216630,
    "storage_failed": 282000,
    "worker_lost": 282000,
    "internal": 282000,
}
TOKEN_EXPIRED = 111
DAILY_QUOTA = 17
PARAMETER_TOO_LONG = 216103
IMAGE_EMPTY = 216200
POSITION_MISSING = 282003

MESSAGES: dict[int, str] = {
    2: "Service temporarily unavailable",
    3: "Unsupported openapi method",
    4: "Open api request limit reached",
    6: "No permission to access data",
    17: "Open api daily request limit reached",
    18: "Open api qps request limit reached",
    19: "Open api total request limit reached",
    110: "Access token invalid or no longer valid",
    111: "Access token expired",
    216100: "invalid param",
    216101: "not enough param",
    216103: "param too long",
    216200: "empty image",
    216201: "image format error",
    216202: "image size error",
    216630: "recognize error",
    282000: "internal error",
    282003: "missing parameters",
    282114: "url size error",
    282804: "download image error",
}
# Codes whose message shows the reason.
_EXPLAINED = {6, 216100, 216101, 216103, 216201, 216202, 282003, 282114, 282804}

# The token endpoint follows OAuth 2.0 (RFC 6749, 5.2), HTTP status included.
_OAUTH_ERRORS = {401: "invalid_client", 403: "invalid_client", 429: "temporarily_unavailable"}


def render_segment(image: JobImage, *, log_id: str) -> dict[str, Any]:
    """Return the response body for a successful picture, with its mask or cutout as base64.

    log_id: the id of the request, which the response repeats.
    """
    result = file_of(image, Artifact.Kind.MASK, Artifact.Kind.CUTOUT)
    picture = base64.b64encode(storage.read(result.key)).decode("ascii")
    return {"log_id": log_id, "image": picture} | missing_notes(image)


def render_error(error: MattingError, *, log_id: str) -> Response:
    """Return the response to an error in Baidu's format. The HTTP status is always 200.

    log_id: the id of the request, which the response repeats.
    """
    code = error_code_of(error)
    message = MESSAGES[code]
    if code == POSITION_MISSING:
        message = f"{message}: {error.field}"
    elif code in _EXPLAINED and error.message != error.public_message:
        message = f"{message}: {error.message.replace('boxes:', 'position:')}"
    return Response({"error_code": code, "error_msg": message, "log_id": log_id})


def error_code_of(error: MattingError) -> int:
    """Return Baidu's `error_code` for an error.

    For some errors, the code also depends on the field or the quota that caused the error.
    """
    match error:
        case TokenExpired():
            return TOKEN_EXPIRED
        case ParameterMissing(field="position"):
            return POSITION_MISSING
        case ParameterMissing():
            return ERRORS[ImageMissing.code]
        case ParameterTooLong():
            return PARAMETER_TOO_LONG
        case ImageMissing():
            return IMAGE_EMPTY
        case QuotaExceeded(window="day"):
            return DAILY_QUOTA
    return ERRORS[error.code]


def render_token(token: str) -> dict[str, Any]:
    """Return the response body with an access token.

    The body also contains `scope`, `session_key` and `session_secret`, because clients require them. These values grant
    no permissions.
    """
    return {
        "access_token": token,
        "expires_in": TOKEN_TTL_S,
        "refresh_token": secrets.token_urlsafe(24),
        "scope": SCOPE,
        "session_key": secrets.token_urlsafe(24),
        "session_secret": secrets.token_hex(16),
    }


def render_token_error(error: MattingError) -> Response:
    """Return the response to an error in the format of OAuth 2.0 (RFC 6749, section 5.2).

    HTTP status 403 becomes 401 (`invalid_client`), and 422 becomes 400. Other statuses do not change.
    """
    status = 401 if error.http_status == 403 else 400 if error.http_status == 422 else error.http_status
    name = _OAUTH_ERRORS.get(status, "server_error" if status >= 500 else "invalid_request")
    if error.field == "grant_type":
        name = "unsupported_grant_type"
    return Response({"error": name, "error_description": error.message}, status=status)
