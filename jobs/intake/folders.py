"""Read pictures from folders of the server and write results to them, only below the operator's root folders.

A path is resolved and checked against the resolved root folders. Then the path is opened folder by folder, starting at
the root, without following links. If a link replaces a folder after the check, opening fails, and no file outside the
root is used.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import IO

from django.conf import settings

from jobs.errors import PermissionDenied, StorageFailed
from jobs.intake.litter import is_litter
from jobs.intake.sources import FileSource, RefusedSource, Source, clean_name
from segmentation.errors import ImageUnreadable, InvalidParameter

MAX_PATH_LENGTH = 1024
MAX_PART_BYTES = 255
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe would wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# Faults of the disk or of this process, not of the file: the picture may be retried.
_MACHINE_FAULTS = (errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT)
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Place:
    """A path inside a root folder.

    root: the resolved root folder.
    parts: the names of the folders from `root` to the path. None of them was a link when the path was checked.
    """

    root: Path
    parts: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return self.root.joinpath(*self.parts)


def place_in(text: str, roots: Sequence[str | Path], *, field: str, alias: str = "") -> Place:
    """Find the root folder that contains a path of a request, and return the path as a Place.

    text: the path. A relative path is tried below each root, with or without the root's own name as its first part.
    roots: the allowed root folders.
    field: the name of the request field, for errors.
    alias: another name of the first root. A path below `alias` that is in no root is read as a path below the first
        root.

    Raise PermissionDenied for a path outside the roots, whether it exists or not. Raise InvalidParameter for an invalid
    path.
    """
    if not text or len(text) > MAX_PATH_LENGTH or "\0" in text or not _is_path(text):
        raise InvalidParameter(f"{field}: must be a path of 1 to {MAX_PATH_LENGTH} characters", field=field)
    resolved_roots = [Path(os.path.realpath(root)) for root in roots]
    places = [
        Place(root, resolved.relative_to(root).parts)
        for candidate in _candidates(text, resolved_roots, alias)
        for resolved in [Path(os.path.realpath(candidate))]
        for root in resolved_roots
        if resolved.is_relative_to(root)
    ]
    if not places:
        raise PermissionDenied(f"{field}: this path is not under a folder that the operator allows.")
    return next((place for place in places if place.path.exists()), places[0])


def _is_path(text: str) -> bool:
    """Return whether a file system can store the path.

    JSON text may contain lone surrogates and names of any length, which a file system cannot store.
    """
    try:
        return all(len(os.fsencode(part)) <= MAX_PART_BYTES for part in Path(text).parts)
    except UnicodeEncodeError:
        return False


def _candidates(text: str, roots: Sequence[Path], alias: str) -> list[Path]:
    path = Path(text)
    if not path.is_absolute():
        return [base / path for root in roots for base in (root, root.parent)]
    found = [path]
    if alias and roots and path.is_relative_to(alias):
        found.append(roots[0] / path.relative_to(alias))
    return found


# Reading --------------------------------------------------------------------------------------------------------------


def sources_in(place: Place, *, field: str) -> list[Source]:
    """Return the files of a folder as sources, sorted by name. The files are not opened.

    Subfolders are skipped, and so are files that desktop systems add to folders.

    field: the name of the request field, for errors.

    Raise InvalidParameter if the folder does not exist, contains no file, or contains more files than a job may have.
    Raise PermissionDenied if the folder cannot be opened.
    """
    with _opened(place, field=field) as folder, os.scandir(folder) as entries:
        files = [entry for entry in entries if not is_litter(entry.name) and not _is_folder(entry)]
        if not files:
            raise InvalidParameter(f"{field}: the folder holds no file", field=field)
        most = settings.MATTING_MAX_IMAGES_PER_JOB
        if len(files) > most:
            raise InvalidParameter(f"{field}: {len(files)} files are more than {most} in one job", field=field)
        return [_source(place, entry) for entry in sorted(files, key=attrgetter("name"))]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _source(place: Place, entry: os.DirEntry[str]) -> Source:
    name = entry.name
    path = str(place.path / name)
    if len(path) > MAX_PATH_LENGTH or not path.isprintable():
        shown = os.fsencode(name).decode("utf-8", "replace")
        return RefusedSource(clean_name(shown), ImageUnreadable("The file's name cannot be used."))
    try:
        size = entry.stat(follow_symlinks=False).st_size
    except OSError:  # deleted in the meantime; the worker reports it
        size = 0
    return FileSource(path, clean_name(name), size)


def read_file(path: str, max_bytes: int) -> bytes:
    """Return the first max_bytes + 1 bytes of a file below an input root. The caller checks the length.

    Raise PermissionDenied for a path outside the roots, and ImageUnreadable for a file that is missing or not a regular
    file.
    """
    place = place_in(path, settings.MATTING_INPUT_ROOTS, field="input_dir")
    if not place.parts:
        raise ImageUnreadable("This is a folder, not a picture.")
    with _opened(Place(place.root, place.parts[:-1]), field="input_dir") as folder:
        try:
            descriptor = os.open(place.parts[-1], _FILE, dir_fd=folder)
        except OSError as error:
            if error.errno in _MACHINE_FAULTS:
                raise
            raise ImageUnreadable(f"The file cannot be opened: {error.strerror}.") from error
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ImageUnreadable("This is not a regular file.")
            return file.read(max_bytes + 1)


@contextmanager
def _opened(place: Place, *, field: str) -> Iterator[int]:
    """Open a folder part by part, starting at its root. Yield its file descriptor, and close it at the end.

    Raise InvalidParameter if the folder does not exist, and PermissionDenied if it cannot be opened.
    """
    try:
        folder = _walk(place)
    except FileNotFoundError:
        raise InvalidParameter(f"{field}: there is no such folder", field=field) from None
    except NotADirectoryError:
        raise InvalidParameter(f"{field}: this is not a folder", field=field) from None
    except OSError as error:
        raise PermissionDenied(f"{field}: the folder cannot be opened: {error.strerror}.") from error
    try:
        yield folder
    finally:
        os.close(folder)


def _walk(place: Place, *, make: bool = False) -> int:
    """Open the folder at a place, part by part, and return its file descriptor.

    make: whether missing folders are created.
    """
    if make:
        place.root.mkdir(parents=True, exist_ok=True)
    folder = os.open(place.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in place.parts:
        try:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=folder)
            deeper = os.open(part, _FOLDER, dir_fd=folder)
        finally:
            os.close(folder)
        folder = deeper
    return folder


# Writing --------------------------------------------------------------------------------------------------------------


def require_writable(place: Place, *, field: str) -> None:
    """Raise InvalidParameter if results cannot be written to a place. Create no folder.

    field: the name of the request field, for the error.
    """
    path = place.path
    while not path.exists():
        path = path.parent
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
        raise InvalidParameter(f"{field}: this folder cannot be written", field=field)


@contextmanager
def folder_made(place: Place) -> Iterator[int]:
    """Create a folder and its missing parents, and yield its file descriptor. Raise StorageFailed if this fails."""
    try:
        folder = _walk(place, make=True)
    except OSError as error:
        raise StorageFailed("The output folder cannot be written.") from error
    try:
        yield folder
    finally:
        os.close(folder)


def write_file(folder: int, name: str, stream: IO[bytes]) -> None:
    """Write a stream to the file `name` in an open folder.

    An existing file is replaced only when the new content is complete.

    folder: the file descriptor of the folder.

    Raise StorageFailed if the file cannot be written.
    """
    unfinished = f".{name}.part"
    try:
        with suppress(FileNotFoundError):
            os.unlink(unfinished, dir_fd=folder)
        descriptor = os.open(unfinished, _NEW_FILE, 0o644, dir_fd=folder)
        with open(descriptor, "wb") as file:
            shutil.copyfileobj(stream, file, 2**20)
        os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        raise StorageFailed("The output folder cannot be written.") from error
