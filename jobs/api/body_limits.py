"""Stage 1, intake: how much of a request's body is read at all; the view that it is for says so.

A body that tells its length is refused before a byte of it is read, one in chunks as soon as it has passed the limit.
An API view meets the refusal where it reads the body: it knows by then who calls, and says it in its dialect's words.
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

WORDS_BYTES = 512 * 2**10
_TOO_LARGE = "The request's body is too large."


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Say how many bytes a view takes: in the whole body, in each file of a form, and in one that is a zip.

    cuts_files: of a file that is too long one byte more than it may have is kept, so that the view can judge it beside
    the others; else it ends the request.
    """

    max_bytes: int
    max_file_bytes: int
    max_archive_bytes: int = 0
    cuts_files: bool = False

    def of_file(self, head: bytes) -> int:
        """Give the most bytes of a file that begins with `head`."""
        return max(self.max_file_bytes, self.max_archive_bytes if head.startswith(SIGNATURE) else 0)


def words() -> BodyLimits:
    """Bound what holds no picture: forms and JSON of a few fields."""
    return BodyLimits(WORDS_BYTES, WORDS_BYTES)


def one_picture() -> BodyLimits:
    """Bound one picture with the fields around it; base64 and its escapes in a form make it longer by a half."""
    largest = settings.MATTING_MAX_IMAGE_BYTES
    return BodyLimits(2 * largest + WORDS_BYTES, largest)


def many_pictures() -> BodyLimits:
    """Bound many pictures, or a zip of them: together by what a zip may hold."""
    archive = settings.MATTING_MAX_ARCHIVE_BYTES
    return BodyLimits(max(archive + WORDS_BYTES, one_picture().max_bytes), settings.MATTING_MAX_IMAGE_BYTES, archive)


def each_picture_by_itself() -> BodyLimits:
    """Bound many pictures of which one may be too large without the others."""
    return replace(many_pictures(), cuts_files=True)


def limits_of(view: Callable[..., Any]) -> BodyLimits:
    """Give what a view's class says in `body_limits`; most views take a few words."""
    return getattr(getattr(view, "view_class", None), "body_limits", words)()


class BodyLimitsMiddleware:
    """Hold each body to the limits of its view; let those that come in chunks, without a length, be read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: object, kwargs: object
    ) -> HttpResponse | None:
        most = limits_of(view).max_bytes
        if request.content_type != "multipart/form-data":  # it is read into memory, wherever a form's files go to disk
            most = min(most, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        request.META[BODY_LIMIT] = most
        if hasattr(view, "cls"):  # one of the REST framework's
            return _guard_api(request, most)
        return _guard_page(request, most)


def _guard_api(request: HttpRequest, most: int) -> None:
    if _is_chunked(request):
        # Without the server's word for it that the body ends, reading it could wait for ever.
        ends = request.META.get("wsgi.input_terminated")
        body = CountedBody(request.META["wsgi.input"], most) if ends else RefusedBody(LengthRequired())
        _replace_body(request, body, most)  # Django reads nothing without a length: it is told the most it can be
    elif _declared_bytes(request) > most:
        _replace_body(request, RefusedBody(RequestDataTooBig(_TOO_LARGE)), most)


def _guard_page(request: HttpRequest, most: int) -> HttpResponse | None:
    """Refuse before Django's check of the form's token reads it all; whoever is not signed in sends no pictures."""
    if _is_chunked(request):
        if not request.META.get("wsgi.input_terminated"):
            return _refusal(LengthRequired.public_message, LengthRequired.http_status)
        data = request.META["wsgi.input"].read(WORDS_BYTES + 1)  # no browser sends files like this
        if len(data) > WORDS_BYTES:
            return _refusal(_TOO_LARGE, 413)
        _replace_body(request, io.BytesIO(data), len(data))
    elif _declared_bytes(request) > most:
        return _refusal(_TOO_LARGE, 413)
    elif _declared_bytes(request) > WORDS_BYTES and not request.user.is_authenticated:
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
    request._stream = stream  # Django has no public way to it
    request.META["CONTENT_LENGTH"] = str(length)


class CountedBody(io.RawIOBase):
    """Read a stream; raise RequestDataTooBig as soon as it turns out to be longer than `limit`."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        super().__init__()
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        return self._counted(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._counted(self._stream.readline, size)

    def _counted(self, read: Callable[[int], bytes], size: int | None) -> bytes:
        most = self._left + 1
        data = read(most if size is None or size < 0 else min(size, most))
        self._left -= len(data)
        if self._left < 0:
            raise RequestDataTooBig(_TOO_LARGE)
        return data


class RefusedBody(io.RawIOBase):
    """Raise `error` when somebody wants to read."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def read(self, size: int = -1) -> bytes:
        raise self._error

    readline = read


class FileCap(FileUploadHandler):
    """Pass a form's files on to the handlers that keep them, up to as many bytes as the view takes of each."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._head = b""
        self._limits = limits_of(self.request.resolver_match.func)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._head += raw_data[: len(SIGNATURE) - len(self._head)]
        most = self._limits.of_file(self._head)
        if start + len(raw_data) <= most:
            return raw_data
        if not self._limits.cuts_files:
            raise too_large(self.file_name, most)
        return raw_data[: max(0, most + 1 - start)] or None

    def file_complete(self, file_size: int) -> None:
        return None
