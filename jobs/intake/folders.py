"""Stages 1 and 8: folders of the server, under the operator's roots only.

A path is resolved first and checked against the resolved roots; then it is walked from the root, name by name, refusing
links. What somebody swaps in between therefore leads to a refusal, never out of the root.
"""

from __future__ import annotations

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
from jobs.intake.sources import FileSource, RefusedSource, Source, clean_name
from segmentation.errors import ImageUnreadable, InvalidParameter

MAX_PATH_LENGTH = 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK the opening of a pipe would wait for its other end.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Place:
    """Hold a path inside a root: `parts` lead from the resolved `root` to it and held no link when it was resolved."""

    root: Path
    parts: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return self.root.joinpath(*self.parts)


def place_in(text: str, roots: Sequence[str | Path], *, field: str, alias: str = "") -> Place:
    """Find the place that a caller's path names inside one of `roots`.

    A relative path is looked for in each root, with or without the root's own name before it. A path under `alias` that
    lies in no root stands for the same path under the first root. Raises PermissionDenied for everything outside, alike
    whether it exists or not, and InvalidParameter for what is no path.
    """
    if not text or len(text) > MAX_PATH_LENGTH or "\0" in text:
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
    """List a folder's files by name, without opening them; hidden files and folders inside it are left out.

    Raises InvalidParameter when there is no such folder, it is empty, or holds more than one job may have.
    """
    with _opened(place, field=field) as folder, os.scandir(folder) as entries:
        files = [entry for entry in entries if not entry.name.startswith(".") and not _is_folder(entry)]
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
    except OSError:  # gone again: the worker will say so
        size = 0
    return FileSource(path, clean_name(name), size)


def read_file(path: str, max_bytes: int) -> bytes:
    """Read at most max_bytes + 1 bytes of a regular file under an input root, which intake then checks.

    Raises PermissionDenied for a link that leaves the roots, and ImageUnreadable for what is no file or gone.
    """
    place = place_in(path, settings.MATTING_INPUT_ROOTS, field="input_dir")
    if not place.parts:
        raise ImageUnreadable("This is a folder, not a picture.")
    with _opened(Place(place.root, place.parts[:-1]), field="input_dir") as folder:
        try:
            descriptor = os.open(place.parts[-1], _FILE, dir_fd=folder)
        except OSError as error:
            raise ImageUnreadable(f"The file cannot be opened: {error.strerror}.") from error
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ImageUnreadable("This is not a regular file.")
            return file.read(max_bytes + 1)


@contextmanager
def _opened(place: Place, *, field: str) -> Iterator[int]:
    """Open a folder by walking to it from its root; the value is its descriptor."""
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
    """Give a descriptor of the folder at a place; with `make`, folders that are missing on the way are made."""
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
    """Raise InvalidParameter when results could not be written to a place; nothing is made yet."""
    path = place.path
    while not path.exists():
        path = path.parent
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
        raise InvalidParameter(f"{field}: this folder cannot be written", field=field)


@contextmanager
def folder_made(place: Place) -> Iterator[int]:
    """Make a folder and those above it, and open it; raise StorageFailed when that cannot be."""
    try:
        folder = _walk(place, make=True)
    except OSError as error:
        raise StorageFailed("The output folder cannot be written.") from error
    try:
        yield folder
    finally:
        os.close(folder)


def write_file(folder: int, name: str, stream: IO[bytes]) -> None:
    """Copy a stream into an open folder; the file appears under its name when it is whole, in place of an older one."""
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
