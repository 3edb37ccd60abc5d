"""Limit the sizes of request bodies. Each view declares its own limits.

A body whose Content-Length is too large is rejected before any byte is read. A chunked body is rejected as soon as it
exceeds the limit. An API view gets the error when it reads the body. At that time the caller is authenticated, so the
view can return the error in the format of its API.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse

from jobs.errors import LengthRequired
from jobs.intake.archives import SIGNATURE
from jobs.intake.sources import too_large
from webserver.bodies import LIMIT as BODY_LIMIT

FIELDS_BYTES = 512 * 2**10
_TOO_LARGE = "The request's body is too large."


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The maximum sizes in bytes that a view accepts.

    max_bytes: the maximum size of the whole body.
    max_file_bytes: the maximum size of each file in a form.
    max_archive_bytes: the maximum size of a file that is a zip, if this is larger than max_file_bytes.
    cuts_files: True: truncate a file that is too large to one byte more than its limit, so that the view can reject
    only this file. False: reject the whole request.
    """

    max_bytes: int
    max_file_bytes: int
    max_archive_bytes: int = 0
    cuts_files: bool = False

    def of_file(self, head: bytes) -> int:
        """Return the maximum size of a file in bytes.

        head: the first bytes of the file, which show whether the file is a zip.
        """
        return max(self.max_file_bytes, self.max_archive_bytes if head.startswith(SIGNATURE) else 0)


def no_picture() -> BodyLimits:
    """Return the limits of a body without a picture: a form or JSON with a few fields."""
    return BodyLimits(FIELDS_BYTES, FIELDS_BYTES)


def one_picture() -> BodyLimits:
    """Return the limits of a body with one picture and other fields.

    The body may have twice the size of the largest picture, because a picture as base64 in a form needs up to 1.5 times
    its size.
    """
    largest = settings.MATTING_MAX_IMAGE_BYTES
    return BodyLimits(2 * largest + FIELDS_BYTES, largest)


def many_pictures() -> BodyLimits:
    """Return the limits of a body with many pictures, or with a zip of pictures. Both may have the same total size."""
    archive = settings.MATTING_MAX_ARCHIVE_BYTES
    return BodyLimits(max(archive + FIELDS_BYTES, one_picture().max_bytes), settings.MATTING_MAX_IMAGE_BYTES, archive)


def each_picture_by_itself() -> BodyLimits:
    """Return the limits of a body with many pictures, in which a picture that is too large is rejected separately."""
    return replace(many_pictures(), cuts_files=True)


def limits_of(view: Callable[..., Any] | None) -> BodyLimits:
    """Return the body limits that a view's class declares in `body_limits`.

    If the class declares none, or if `view` is None, return the limits of a body without a picture.
    """
    return getattr(getattr(view, "view_class", None), "body_limits", no_picture)()


class BodyLimitsMiddleware:
    """Middleware that limits each request body to the number of bytes that its view accepts.

    The limit also applies to chunked bodies.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: object, kwargs: object
    ) -> HttpResponse | None:
        most = limits_of(view).max_bytes
        if (
            request.content_type != "multipart/form-data"
        ):  # read into memory, without the base64 texts that the web server has moved to files
            most = min(most, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        request.META[BODY_LIMIT] = most
        if hasattr(view, "cls"):  # a view of the REST framework
            _guard_api(request, most)
            return None
        return _guard_page(request, most)


def _guard_api(request: HttpRequest, most: int) -> None:
    if _is_chunked(request):
        # Without `wsgi.input_terminated` the server does not mark the end of the body, so a read could block forever.
        ends = request.META.get("wsgi.input_terminated")
        body = CountedBody(request.META["wsgi.input"], most) if ends else RefusedBody(LengthRequired())
        _replace_body(request, body, most)  # Django does not read a body without a length
    elif _declared_bytes(request) > most:
        _replace_body(request, RefusedBody(RequestDataTooBig(_TOO_LARGE)), most)


def _guard_page(request: HttpRequest, most: int) -> HttpResponse | None:
    """Return the response that rejects the body of a request for a page; return None to accept the body.

    This check runs before the CSRF check reads the body. If a user who is not signed in sends more than FIELDS_BYTES
    bytes, return a redirect to the sign-in page.
    """
    if _is_chunked(request):
        if not request.META.get("wsgi.input_terminated"):
            return _refusal(LengthRequired.public_message, LengthRequired.http_status)
        data = request.META["wsgi.input"].read(FIELDS_BYTES + 1)  # browsers do not send chunked files
        if len(data) > FIELDS_BYTES:
            return _refusal(_TOO_LARGE, 413)
        _replace_body(request, io.BytesIO(data), len(data))
    elif _declared_bytes(request) > most:
        return _refusal(_TOO_LARGE, 413)
    elif _declared_bytes(request) > FIELDS_BYTES and not request.user.is_authenticated:
        return redirect_to_login(settings.LOGIN_REDIRECT_URL)
    return None


def _refusal(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain")


def _is_chunked(request: HttpRequest) -> bool:
    return not request.META.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" in request.META


def _declared_bytes(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _replace_body(request: HttpRequest, stream: Any, length: int) -> None:
    request._stream = stream  # Django has no public name for it
    request.META["CONTENT_LENGTH"] = str(length)


class CountedBody(io.RawIOBase):
    """A stream that raises RequestDataTooBig as soon as more than `limit` bytes have been read from it."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        super().__init__()
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        return self._counted(self._stream.read, size)

    def readline(self, size: int | None = -1) -> bytes:
        return self._counted(self._stream.readline, size)

    def _counted(self, read: Callable[[int], bytes], size: int | None) -> bytes:
        most = self._left + 1
        data = read(most if size is None or size < 0 else min(size, most))
        self._left -= len(data)
        if self._left < 0:
            raise RequestDataTooBig(_TOO_LARGE)
        return data


class RefusedBody(io.RawIOBase):
    """A stream that raises `error` as soon as it is read."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def read(self, size: int = -1) -> bytes:
        raise self._error

    def readline(self, size: int | None = -1) -> bytes:
        raise self._error


class FileCap(FileUploadHandler):
    """Upload handler that limits the size of each file in a form to the view's limit.

    If a file is too large, `BodyLimits.cuts_files` determines whether the file is cut or the request is rejected.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._head = b""
        self._limits = limits_of(_view_of(self.request))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._head += raw_data[: len(SIGNATURE) - len(self._head)]
        most = self._limits.of_file(self._head)
        if start + len(raw_data) <= most:
            return raw_data
        if not self._limits.cuts_files:
            raise too_large(self.file_name or "", most)
        return raw_data[: max(0, most + 1 - start)] or None

    def file_complete(self, file_size: int) -> None:
        return None


def _view_of(request: HttpRequest | None) -> Callable[..., Any] | None:
    match = request and request.resolver_match
    return match.func if match else None
