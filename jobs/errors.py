"""Every stage: the error tree's branch for requests, limits, jobs and storage; the root is in segmentation.errors."""

from __future__ import annotations

from segmentation.errors import InvalidParameter, MattingError


class AuthenticationRequired(MattingError):
    code, http_status = "authentication_required", 401
    public_message = "A valid API key is needed."


class TokenExpired(AuthenticationRequired):
    public_message = "The access token has expired."


class PermissionDenied(MattingError):
    code, http_status = "permission_denied", 403
    public_message = "This key or user may not do that."


class MalformedBody(MattingError):
    code, http_status = "malformed_body", 400
    public_message = "The request's body cannot be read."


class LengthRequired(MalformedBody):
    http_status = 411
    public_message = "The request must say how long its body is (Content-Length)."


class ParameterMissing(InvalidParameter):
    """Name in `field` what the caller left out."""

    public_message = "A parameter is missing."


class ParameterTooLong(InvalidParameter):
    public_message = "A parameter is too long."


class UrlTooLong(MattingError):
    code, http_status = "url_too_long", 422
    public_message = "The URL is too long."


class UrlForbidden(MattingError):
    code, http_status = "url_forbidden", 422
    public_message = "This URL may not be fetched."


class UrlMalformed(UrlForbidden):
    public_message = "The URL cannot be read."


class DownloadFailed(MattingError):
    code, http_status = "download_failed", 422
    public_message = "The picture could not be downloaded."


class LimitReached(MattingError):
    """Group refusals that pass with time; `retry_after_s` says when to come back."""

    http_status = 429

    def __init__(self, message: str = "", *, retry_after_s: int = 1, field: str = "") -> None:
        super().__init__(message, field=field)
        self.retry_after_s = retry_after_s


class RateLimited(LimitReached):
    code = "rate_limited"
    public_message = "Too many requests, please slow down."


class QuotaExceeded(LimitReached):
    """Say which allowance is used up: `window` is `day`, `month` or `storage`."""

    code = "quota_exceeded"
    public_message = "The team's quota is used up."

    def __init__(self, message: str = "", *, window: str = "month", retry_after_s: int = 3600) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.window = window


class TooManyTasks(LimitReached):
    code = "too_many_tasks"
    public_message = "Too many tasks are waiting or running."


class NotFound(MattingError):
    code, http_status = "not_found", 404
    public_message = "There is nothing at this address."


class JobNotFound(NotFound):
    code = "job_not_found"
    public_message = "There is no such job."


class JobNotCancelable(MattingError):
    code, http_status = "job_not_cancelable", 409
    public_message = "The job has ended and cannot be cancelled."


class JobCanceled(MattingError):
    """Answer a request that waited for a job which somebody has cancelled meanwhile."""

    code, http_status = "canceled", 409
    public_message = "The job was cancelled."


class IdempotencyConflict(MattingError):
    code, http_status = "idempotency_conflict", 409
    public_message = "Another request of the team has this Idempotency-Key, and may still be running."


class QueueUnavailable(MattingError):
    code, http_status = "queue_unavailable", 503
    public_message = "The queue cannot be reached, please try again."
    retry_after_s = 5


class ServerBusy(QueueUnavailable):
    public_message = "The server is busy, please try again."
    retry_after_s = 5


class WaitTimeout(MattingError):
    code, http_status = "timeout", 504
    public_message = "The result was not ready in time."


class StorageFailed(MattingError):
    code = "storage_failed"
    public_message = "The result could not be stored."


class WorkerLost(MattingError):
    code = "worker_lost"
    public_message = "The picture stopped three workers and was given up."


def error_kinds() -> list[type[MattingError]]:
    """List the kinds of error by their codes, those of the doors among them."""
    kinds = _every_error(MattingError)
    return [kinds[code] for code in sorted(kinds)]


def error_of(code: str, message: str) -> MattingError:
    """Give back the error that a picture or job was stored with."""
    kind = _ERRORS.get(code, MattingError)
    return kind(message)


def _every_error(root: type[MattingError]) -> dict[str, type[MattingError]]:
    """Map each code to the class nearest to the root that has it."""
    found = {root.code: root}
    for child in root.__subclasses__():
        for code, kind in _every_error(child).items():
            found.setdefault(code, kind)
    return found


_ERRORS = _every_error(MattingError)
# Every public code that a job or picture can have ended with.
ERROR_CODES = tuple(sorted(_ERRORS))
