"""Check the pictures of a request before they are stored or queued.

Each `accept_*` function returns a source, or raises the error for the response. A picture whose bytes are in the
request is checked at once (CheckedSource). A picture at a URL or in a folder of the server is read later by a worker,
which makes the same checks.

Parameters with the same meaning in all functions: `name` is the picture's file name. `limits` are the limits of the
picture; None means the limits of the site.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol, cast
from urllib.parse import unquote

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile

from jobs import pixels
from jobs.errors import StorageFailed
from jobs.intake.fetch import check_url, policy_from_settings
from jobs.results import storage
from segmentation.errors import (
    ImageError,
    ImageMissing,
    ImageTooLarge,
    ImageUnreadable,
    InvalidParameter,
    MattingError,
)
from segmentation.image import Limits, Probe, pixels_of, probe, probe_header
from webserver.long_texts import NotBase64, NotBase64Url, TextTooLong, decoded_to_file, has_long_text

MAX_NAME_LENGTH = 200
MAX_PATH_LENGTH = 250  # characters of a name with its folders; the column has 255
MAX_FOLDERS = 8


class Content(Protocol):
    """A file-like object that can be read several times. `read` returns all bytes when it is called after `seek(0)`."""

    def seek(self, offset: int, /) -> int: ...

    def read(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class CheckedSource:
    """A picture that has passed its check. Its bytes are in memory, in a temporary file, or in the storage.

    name: the file name. It may begin with folders; zips of results contain the same folders.
    probe: the properties of the picture.
    settings: the options of this picture that differ from the options of its job, as JSON.
    """

    name: str
    probe: Probe
    sha256: str
    content: Content
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def read(self) -> bytes:
        self.content.seek(0)
        return self.content.read()

    def stream(self) -> bytes | IO[bytes]:
        """Return the open file if the picture is in a temporary file; otherwise return the bytes of the picture."""
        if isinstance(self.content, TemporaryUploadedFile) and self.content.file is not None:
            return cast("IO[bytes]", self.content.file)
        return self.read()


class ReopenedContent:
    """Content that each call of `read` opens and reads completely.

    Between two calls no file is open and no data is kept in memory.

    read: the function that opens, reads and returns the bytes.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read

    def seek(self, offset: int, /) -> int:
        return 0

    def read(self) -> bytes:
        return self._read()


@dataclass(frozen=True, slots=True)
class UrlSource:
    """The URL of a picture. A worker downloads the picture with the guarded HTTP client and checks it."""

    url: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class FileSource:
    """The path of a file below one of the operator's input folders. A worker opens and checks the file.

    bytes: the size of the file; 0 if it is unknown.
    """

    path: str
    name: str
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class RefusedSource:
    """A picture that failed its check. It becomes a failed picture of the job; the other pictures are processed."""

    name: str
    error: MattingError


Source = CheckedSource | UrlSource | FileSource | RefusedSource


def default_limits(**changes: Any) -> Limits:
    """Return the site's limits of a picture, combined with the limits of an API.

    changes: the API's limits by name. If the site also defines a limit, the stricter one applies.
    """
    site = {"max_bytes": settings.MATTING_MAX_IMAGE_BYTES, "max_pixels": settings.MATTING_MAX_IMAGE_PIXELS}
    stricter = {name: min(limit, changes.get(name, limit)) for name, limit in site.items()}
    return Limits(**(changes | stricter))


def limits_to_json(limits: Limits) -> dict[str, Any]:
    return asdict(limits) | {"formats": sorted(limits.formats)}


def limits_from_json(data: dict[str, Any]) -> Limits:
    return Limits(**(data | {"formats": frozenset(data["formats"])})) if data else default_limits()


def check_count(count: int) -> None:
    """Raise InvalidParameter if `count` exceeds the number of pictures that a job may have.

    Call the function before the first picture is opened.
    """
    if count > settings.MATTING_MAX_IMAGES_PER_JOB:
        raise too_many_images(str(count))


def too_many_images(count: str) -> InvalidParameter:
    """Return the error for a request with more pictures than a job may have.

    count: the number of pictures, as text.
    """
    return InvalidParameter(
        f"images: {count} are more than {settings.MATTING_MAX_IMAGES_PER_JOB} in one job", field="images"
    )


def too_large(name: str, max_bytes: int) -> ImageTooLarge:
    """Return the error for a file that is larger than `max_bytes`.

    name: the name of the file, for the message.
    """
    return ImageTooLarge(f"{clean_name(name)} has more than {max_bytes} bytes")


def clean_name(name: str) -> str:
    """Return the last part of a path without control characters, with at most MAX_NAME_LENGTH characters.

    The result can be displayed, and it can be a file name in a zip. It is `picture` if no character remains.
    """
    name = PurePosixPath(str(name).replace("\\", "/")).name
    name = "".join(character for character in name if unicodedata.category(character)[0] != "C")
    return name[-MAX_NAME_LENGTH:].strip(" .") or "picture"


# Below this size a check takes less time than the call of another process.
_CHECKED_HERE_PIXELS = 1_000_000


def clean_path(path: str) -> str:
    """Return a file's name with up to MAX_FOLDERS folders before it, joined by `/`.

    `clean_name` cleans each part. If the path is longer than MAX_PATH_LENGTH, the first folders are removed.
    """
    parts = [part for part in PurePosixPath(str(path).replace("\\", "/")).parts if part.strip("/. ")]
    *folders, name = [clean_name(part) for part in parts] or [clean_name(path)]
    folders = folders[-MAX_FOLDERS:]
    while folders and len("/".join([*folders, name])) > MAX_PATH_LENGTH:
        del folders[0]
    return "/".join([*folders, name])


def proved(source: bytes | Path, limits: Limits) -> Probe:
    """Decode a picture and return its properties.

    Small pictures in memory are decoded in this process, others in a separate process.

    Raise the errors of `segmentation.image.probe` for a bad picture, and ImageUnreadable if the decoder crashes. Raise
    StorageFailed if this machine has a fault (memory or disk), because the picture may be correct.
    """
    try:
        if isinstance(source, bytes):
            count = pixels_of(source, limits)
            if count <= _CHECKED_HERE_PIXELS:
                return probe(source, limits)
    except (MemoryError, OSError) as error:
        raise _cannot_check() from error
    try:
        if not isinstance(source, bytes):
            count = pixels.checks.run(pixels_of, source, limits)
        return pixels.checks.run(probe, source, limits, pixels=count)
    except pixels.PROCESS_FAILED as error:
        raise ImageUnreadable("The file is damaged and cannot be decoded.") from error
    except OSError as error:
        raise _cannot_check() from error


def _cannot_check() -> StorageFailed:
    return StorageFailed("The picture cannot be checked at the moment, please try again.")


def accept_bytes(
    data: bytes, *, name: str = "", limits: Limits | None = None, prove_pixels: int | None = None
) -> CheckedSource:
    """Check a picture in memory and return it as a source. Raise an ImageError if the picture cannot be accepted.

    prove_pixels: the largest number of pixels of a picture that is decoded. If a picture is larger, only its header is
        checked. None means that every picture is decoded.
    """
    limits = limits or default_limits()
    if prove_pixels is None:
        found = proved(data, limits)
    else:
        found = probe_header(data, limits)
        if found.width * found.height <= prove_pixels:
            found = proved(data, limits)
    return CheckedSource(clean_path(name), found, hashlib.sha256(data).hexdigest(), io.BytesIO(data))


def accept_upload(file: UploadedFile | None, *, limits: Limits | None = None) -> CheckedSource:
    """Check an uploaded file and return it as a source. The size is checked before the file is read into memory.

    Raise ImageMissing if there is no file, and another ImageError if the picture cannot be accepted.
    """
    limits = limits or default_limits()
    if not isinstance(file, UploadedFile):
        raise ImageMissing(field="image")
    if file.size is not None and file.size > limits.max_bytes:
        raise too_large(file.name or "", limits.max_bytes)
    name = clean_name(file.name or "")
    if isinstance(file, TemporaryUploadedFile):
        path = Path(file.temporary_file_path())
        found = proved(path, limits)
        with path.open("rb") as stream:
            return CheckedSource(name, found, hashlib.file_digest(stream, "sha256").hexdigest(), file)
    file.seek(0)
    data = file.read(limits.max_bytes + 1)
    return CheckedSource(name, proved(data, limits), hashlib.sha256(data).hexdigest(), file)


def accept_base64(text: object, *, name: str = "", limits: Limits | None = None) -> CheckedSource:
    """Check a picture in base64 and return it as a source.

    The text may contain line breaks and may begin with the prefix of a `data:` URL (RFC 2397). Raise ImageMissing if
    there is no text, and another ImageError if the picture cannot be accepted.
    """
    limits = limits or default_limits()
    if not isinstance(text, str | bytes) or not text:
        raise ImageMissing(field="image")
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    if has_long_text(text):
        return accept_upload(_decoded_file(text, name, limits), limits=limits)
    text = text.lstrip()
    if text[:5].lower() == "data:":
        head, _, text = text.partition(",")
        if not head.strip().lower().endswith("base64"):
            raise ImageUnreadable("The picture's data: URL is not base64", field="image")
        text = unquote(text) if "%" in text else text
    if len(text) > limits.max_bytes * 4 // 3 + 1024:
        raise ImageTooLarge(f"The base64 text stands for more than {limits.max_bytes} bytes")
    try:
        text = "".join(text.split()).rstrip("=")
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ImageUnreadable("The picture's base64 text is not valid base64", field="image") from None
    return accept_bytes(data, name=clean_name(name), limits=limits)


def _decoded_file(text: str, name: str, limits: Limits) -> TemporaryUploadedFile:
    """Decode a base64 text that the web server has stored on disk. Return a temporary file with the decoded content."""
    file = TemporaryUploadedFile(clean_name(name), "", 0, None)
    try:
        file.size = decoded_to_file(text, file, max_bytes=limits.max_bytes)
    except TextTooLong:
        raise ImageTooLarge(f"The base64 text stands for more than {limits.max_bytes} bytes") from None
    except NotBase64Url:
        raise ImageUnreadable("The picture's data: URL is not base64", field="image") from None
    except NotBase64:
        raise ImageUnreadable("The picture's base64 text is not valid base64", field="image") from None
    file.flush()
    return file


def accept_stored(key: str, *, name: str, limits: Limits | None = None) -> CheckedSource:
    """Check a picture in the storage and return it as a source. Raise NotFound if the file is missing.

    key: the storage key of the file, which belongs to an upload or to another job.
    """
    read = partial(storage.read, key)
    checked = accept_bytes(read(), name=name, limits=limits)
    return replace(checked, content=ReopenedContent(read))


def accept_url(url: object, *, name: str = "", field: str = "image_url") -> UrlSource:
    """Check the URL of a picture and return it as a source. A worker downloads the picture later.

    The check does not use the network.

    field: the name of the request field, for errors.

    Raise ImageMissing if there is no URL. Raise UrlTooLong, UrlMalformed or UrlForbidden if the URL is not permitted.
    """
    if not isinstance(url, str) or not url.strip():
        raise ImageMissing(field=field)
    check_url(url.strip(), policy_from_settings("picture"), field=field)
    return UrlSource(url.strip(), clean_name(name or url.partition("?")[0]))


def accept_or_refuse(
    accept: Callable[[], Source], *, name: str = "", refusing: tuple[type[MattingError], ...] = (ImageError,)
) -> Source:
    """Call `accept` and return its source.

    If `accept` raises an error of a class in `refusing`, return a RefusedSource with this error and with `name`. Other
    errors are raised.
    """
    try:
        return accept()
    except refusing as error:
        return RefusedSource(clean_path(name), error)
