"""The errors of requests, limits, jobs and storage.

The base class MattingError and the errors of pictures are in `segmentation.errors`.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop

from segmentation.errors import InvalidParameter, MattingError


class AuthenticationRequired(MattingError):
    code, http_status = "authentication_required", 401
    public_message = gettext_noop("A valid API key is needed.")


class LinkInvalid(AuthenticationRequired):
    public_message = gettext_noop("The link is not valid.")


class PermissionDenied(MattingError):
    code, http_status = "permission_denied", 403
    public_message = gettext_noop("This key or user may not do that.")


class ScopeMissing(PermissionDenied):
    """Raised when an API key does not have the scope that a request needs. `scope` is the name of this scope."""

    public_message = gettext_noop("The key lacks a scope.")

    def __init__(self, scope: str = "") -> None:
        super().__init__(f"This needs the scope {str(scope)!r}." if scope else "")
        self.scope = str(scope)


class LinkExpired(PermissionDenied):
    public_message = gettext_noop("The link has expired.")


class NoTeam(PermissionDenied):
    public_message = gettext_noop("You belong to no team yet.")


class MalformedBody(MattingError):
    code, http_status = "malformed_body", 400
    public_message = gettext_noop("The request's body cannot be read.")


class LengthRequired(MalformedBody):
    http_status = 411
    public_message = gettext_noop("The request must say how long its body is (Content-Length).")


class ParameterMissing(InvalidParameter):
    """Raised when a request does not contain a required parameter. `field` is the name of the parameter."""

    public_message = gettext_noop("A parameter is missing.")


class ParameterWithoutEffect(InvalidParameter):
    public_message = gettext_noop("A parameter has no effect here.")


class UrlTooLong(MattingError):
    code, http_status = "url_too_long", 422
    public_message = gettext_noop("The URL is too long.")


class UrlForbidden(MattingError):
    code, http_status = "url_forbidden", 422
    public_message = gettext_noop("This URL may not be fetched.")


class UrlMalformed(UrlForbidden):
    public_message = gettext_noop("The URL cannot be read.")


class DownloadFailed(MattingError):
    code, http_status = "download_failed", 422
    public_message = gettext_noop("The picture could not be downloaded.")


class LimitReached(MattingError):
    """Base class of temporary errors. `retry_after_s` is the number of seconds to wait before a retry."""

    http_status = 429

    def __init__(self, message: str = "", *, retry_after_s: int = 1, field: str = "") -> None:
        super().__init__(message, field=field)
        self.retry_after_s = retry_after_s


class RateLimited(LimitReached):
    code = "rate_limited"
    public_message = gettext_noop("Too many requests, please slow down.")


class QuotaExceeded(LimitReached):
    """Raised when a quota of the team is used up. `window` is the kind of the quota: `day`, `month` or `storage`."""

    code = "quota_exceeded"
    public_message = gettext_noop("The team's quota is used up.")

    def __init__(self, message: str = "", *, window: str = "month", retry_after_s: int = 3600) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.window = window


class TooManyTasks(LimitReached):
    code = "too_many_tasks"
    public_message = gettext_noop("Too many tasks are waiting or running.")


class NotFound(MattingError):
    code, http_status = "not_found", 404
    public_message = gettext_noop("There is nothing at this URL.")


class NoResults(NotFound):
    public_message = gettext_noop("There are no results.")


class PictureNotFound(NotFound):
    public_message = gettext_noop("There is no such picture.")


class UploadNotFound(NotFound):
    public_message = gettext_noop("There is no such upload, or it has expired.")


class RecipeNotFound(NotFound):
    public_message = gettext_noop("There is no such recipe.")


class OutputNotFound(NotFound):
    public_message = gettext_noop("The recipe has no such file.")


class BackgroundNotFound(NotFound):
    public_message = gettext_noop("There is no such background picture.")


class FileDeleted(NotFound):
    public_message = gettext_noop("The file has been deleted.")


class JobNotFound(NotFound):
    code = "job_not_found"
    public_message = gettext_noop("There is no such job.")


class JobNotCancelable(MattingError):
    code, http_status = "job_not_cancelable", 409
    public_message = gettext_noop("The job has ended and cannot be cancelled.")


class JobCanceled(MattingError):
    """Raised when a job is cancelled while a request waits for its result."""

    code, http_status = "canceled", 409
    public_message = gettext_noop("The job was cancelled.")


class IdempotencyConflict(MattingError):
    code, http_status = "idempotency_conflict", 409
    public_message = gettext_noop("Another request of the team has this Idempotency-Key, and may still be running.")


class QueueUnavailable(MattingError):
    code, http_status = "queue_unavailable", 503
    public_message = gettext_noop("The queue cannot be reached, please try again.")
    retry_after_s = 5


class QueueFull(QueueUnavailable):
    """Raised when the queue is too long. `retry_after_s` is the number of seconds to wait before a retry."""

    public_message = gettext_noop("The queue is full, please try again later.")

    def __init__(self, message: str = "", *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DatabaseUnavailable(QueueUnavailable):
    public_message = gettext_noop("The database cannot be reached, please try again.")


class ServerBusy(QueueUnavailable):
    public_message = gettext_noop("The server is busy, please try again.")
    retry_after_s = 5


class WaitTimeout(MattingError):
    code, http_status = "timeout", 503
    public_message = gettext_noop("The result was not ready in time.")
    retry_after_s = 5


class StorageFailed(MattingError):
    code, http_status = "storage_failed", 503
    public_message = gettext_noop("The result could not be stored.")
    retry_after_s = 10


class WorkerLost(MattingError):
    code = "worker_lost"
    public_message = gettext_noop("The picture stopped three workers and was given up.")


def errors_by_code(root: type[MattingError] = MattingError) -> dict[str, type[MattingError]]:
    """Return a dict from each error code to its class, for `root` and all its subclasses.

    If several classes share a code, the dict contains the first of them. A class comes before its subclasses.
    """
    found = {root.code: root}
    for child in root.__subclasses__():
        for code, kind in errors_by_code(child).items():
            found.setdefault(code, kind)
    return found


def error_kinds() -> list[type[MattingError]]:
    """Return one error class for each error code, sorted by code."""
    kinds = errors_by_code()
    return [kinds[code] for code in sorted(kinds)]


def error_of(code: str, message: str) -> MattingError:
    """Return an error object for the code and message that are stored with a picture or job.

    If the code is unknown, the object is a plain MattingError.
    """
    kind = _STORED.get(code, MattingError)
    return kind(message)


_STORED = errors_by_code()
# The codes of errors with which a job or picture can end.
ERROR_CODES = tuple(sorted(_STORED))
