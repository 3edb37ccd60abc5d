"""Stored files in a folder or bucket: names, reading, writing, deleting, and signed links with an expiry."""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage, storages
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import empty

from jobs.errors import FileDeleted, StorageFailed
from jobs.models import Artifact, Job, JobImage, Status
from jobs.signatures import is_signature_of, signature_of

logger = logging.getLogger(__name__)

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/avif": "avif",
    "image/vnd.adobe.photoshop": "psd",
    "image/jxl": "jxl",
    "image/jp2": "jp2",
    "application/zip": "zip",
}
_SUFFIXES = {Artifact.Kind.MASK: "_alpha", Artifact.Kind.VISUALIZATION: "_vis"}
PUBLISHED = (Artifact.Kind.CUTOUT, Artifact.Kind.MASK, Artifact.Kind.VISUALIZATION)
IN_ZIPS = (*PUBLISHED, Artifact.Kind.FINISHED)
_SALT = "keyline.artifact"
_PICTURE_DEPTH = len(PurePosixPath("teams/TEAM/JOB/0000/FILE").parents)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The key (name in the storage), the size in bytes and the SHA-256 of a stored file."""

    key: str
    bytes: int
    sha256: str


def storage_reopen() -> None:
    """Make this process open its own connections to the bucket.

    A forked process calls this function, because two processes must not use one connection. Django resets the storage
    in the same way when the storage setting changes.
    """
    storages._storages = {}  # type: ignore[attr-defined]
    default_storage._wrapped = empty  # type: ignore[attr-defined]


def folder_of(job: Job, position: int | None = None) -> str:
    """Return the storage folder of a job, or of one of its pictures if `position` is given.

    The zip of a job, and results in a fixed output folder, are stored outside this folder.
    """
    picture = "" if position is None else f"{position:04d}/"
    return f"teams/{job.team_id}/{job.id}/{picture}"


def key_of_source(job: Job, position: int, extension: str) -> str:
    return f"{folder_of(job, position)}source.{extension}"


def key_of_result(image: JobImage, kind: str, extension: str) -> str:
    """Return the storage key of a result.

    The key contains the number of the attempt, so two attempts do not write the same file.

    kind: an Artifact.Kind.
    extension: the file extension without a dot.
    """
    job = image.job
    if job.output_folder and image.output_name and kind in PUBLISHED:
        return f"{job.output_folder}/{published_name(image, kind, extension, again=_again(image.attempt))}"
    return f"{folder_of(job, image.position)}{image.attempt}-{kind}.{extension}"


def key_of_finished(image: JobImage, name: str) -> str:
    """Return the storage key of a file that a recipe made.

    The file is stored in a folder that only this attempt uses.

    name: the file's readable name.
    """
    return f"{folder_of(image.job, image.position)}finished-{image.attempt}/{name}"


def published_keys(image: JobImage) -> list[str]:
    """Return the keys of the files that killed attempts of a picture may have left in the job's output folder.

    These files have no database row. The list is empty if the picture ended with its first attempt.
    """
    ended_at_once = image.attempt == 1 and image.status in (Status.SUCCEEDED, Status.FAILED)
    if ended_at_once or not (image.job.output_folder and image.output_name):
        return []
    extensions = sorted({extension for extension in EXTENSIONS.values() if extension != "zip"})
    return [
        f"{image.job.output_folder}/{published_name(image, kind, extension, again=_again(attempt))}"
        for attempt in range(1, image.attempt + 1)
        for kind in PUBLISHED
        for extension in extensions
    ]


def _again(attempt: int) -> str:
    return f"_{attempt}" if attempt > 1 else ""


def published_name(image: JobImage, kind: str, extension: str, *, again: str = "") -> str:
    """Return the public file name of a result.

    kind: an Artifact.Kind.
    extension: the file extension without a dot.
    again: a suffix that later attempts add to the name; empty for the first attempt.
    """
    stem = image.output_name or f"{image.position:04d}"
    return f"{stem}{again}{_SUFFIXES.get(Artifact.Kind(kind), '')}.{extension}"


def public_name(artifact: Artifact, image: JobImage) -> str:
    """Return the name of a result file in zips and in output folders of the server."""
    if artifact.kind == Artifact.Kind.FINISHED:
        return artifact.file_name
    return published_name(image, artifact.kind, PurePosixPath(artifact.key).suffix.removeprefix("."))


def store(key: str, data: bytes) -> StoredFile:
    """Write a file and return its key, size and hash; raise StorageFailed if the storage fails."""
    return StoredFile(_saved(key, ContentFile(data)), len(data), hashlib.sha256(data).hexdigest())


def store_stream(key: str, stream: IO[bytes]) -> StoredFile:
    """Write the whole content of a stream to a file, and return the file's key, size and hash.

    The stream must be seekable. Raise StorageFailed if the storage fails.
    """
    stream.seek(0)
    digest = hashlib.sha256()
    while chunk := stream.read(2**20):
        digest.update(chunk)
    size = stream.tell()
    stream.seek(0)
    return StoredFile(_saved(key, File(stream)), size, digest.hexdigest())


def _saved(key: str, content: File) -> str:
    try:
        return default_storage.save(key, content)
    except Exception as error:
        logger.exception("storing %s failed", key)
        _folders_remove(key)
        raise StorageFailed from error


def open_file(key: str) -> IO[bytes]:
    """Open a stored file for reading. Raise FileDeleted if it is missing, and StorageFailed if the storage fails."""
    try:
        return default_storage.open(key, "rb")
    except FileNotFoundError as error:
        raise FileDeleted from error
    except Exception as error:
        logger.exception("opening %s failed", key)
        raise StorageFailed from error


def local_path(key: str) -> Path | None:
    """Return the path of a stored file on this machine; None for a bucket. Raise FileDeleted if the file is missing."""
    try:
        path = Path(default_storage.path(key))
    except NotImplementedError:
        return None
    if not path.is_file():
        raise FileDeleted
    return path


def bucket_link(key: str, *, content_type: str, disposition: str, ttl_s: int) -> str:
    """Return a signed URL of a file in the bucket. The URL expires after `ttl_s` seconds.

    content_type, disposition: the headers Content-Type and Content-Disposition of the bucket's response.
    """
    headers = {"ResponseContentType": content_type, "ResponseContentDisposition": disposition}
    link: str = default_storage.url(key, parameters=headers, expire=ttl_s)  # type: ignore[call-arg]
    return link


def read(key: str) -> bytes:
    """Return the content of a stored file. Raise NotFound if it is missing, and StorageFailed if the storage fails."""
    with open_file(key) as file:
        try:
            return file.read()
        except Exception as error:
            logger.exception("reading %s failed", key)
            raise StorageFailed from error


def files_under(folder: str) -> Iterator[str]:
    """Yield the keys of the files in a folder and its subfolders. Yield nothing if the folder does not exist."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}{name}" for name in files)
    for name in folders:
        yield from files_under(f"{folder}{name}/")


def delete(key: str) -> None:
    """Delete a file. Also delete the folders of its picture and its job if these folders are empty.

    A missing file is not an error. Exceptions of the storage are not caught. Services call `jobs.results.deletions`
    instead, because it retries failed deletions.
    """
    default_storage.delete(key)
    _folders_remove(key)


def _folders_remove(key: str) -> None:
    """Delete the folders of a file's picture and job (teams/TEAM/JOB/0000) if they are empty.

    A bucket has no folders.
    """
    folders = PurePosixPath(key).parents
    if len(folders) != _PICTURE_DEPTH:
        return
    with suppress(OSError, NotImplementedError):  # not empty, already deleted, or a bucket without paths
        for folder in folders[:2]:
            os.rmdir(default_storage.path(str(folder)))


def link_to(artifact: Artifact, *, base_url: str = "", ttl_s: int | None = None) -> str:
    """Return a signed link to the file. The link works without an API key and expires no later than the file.

    base_url: the site's URL; empty means that only the path is returned.
    ttl_s: the lifetime of the link in seconds; None means MATTING_LINK_TTL_S.
    """
    until = link_end(settings.MATTING_LINK_TTL_S if ttl_s is None else ttl_s)
    if artifact.expires_at is not None:
        until = min(until, int(artifact.expires_at.timestamp()))
    token = signature_of(f"{artifact.id}:{until}", salt=_SALT)
    path = reverse("file", kwargs={"artifact_id": artifact.id, "name": artifact.file_name})
    return f"{base_url}{path}?until={until}&signature={token}"


def link_end(ttl_s: int) -> int:
    """Return the time at which a link with a lifetime of `ttl_s` seconds expires, in seconds since 1970.

    The time is rounded up by at most a tenth of the lifetime. Because of the rounding, the link stays the same for a
    while, so HTTP caches can store the file.
    """
    step_s = max(1, ttl_s // 10)
    return math.ceil((timezone.now().timestamp() + ttl_s) / step_s) * step_s


def link_state(artifact_id: object, until: str, signature: str) -> Literal["valid", "expired", "invalid"]:
    """Return whether a link is valid, has expired, or has an invalid signature.

    until: the expiry in seconds since 1970, as text from the link.
    signature: the signature from the link.
    """
    if not until.isdecimal() or not is_signature_of(f"{artifact_id}:{until}", signature, salt=_SALT):
        return "invalid"
    return "valid" if int(until) >= timezone.now().timestamp() else "expired"
