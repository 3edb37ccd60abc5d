"""Folders and bucket prefixes with one common interface: list, read, write and move files.

Local paths are `pathlib` paths; `s3://bucket/prefix` is a cloudpathlib path. Files are listed one at a time, so the
list of a folder with ten thousand files is never completely in memory.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from cloudpathlib import AnyPath, CloudPath
from cloudpathlib.exceptions import NoStatError

from segmentation.errors import InvalidParameter

LITTER = frozenset({"thumbs.db", "desktop.ini"})
MANIFEST = re.compile(r"manifest(-\d+)?\.(csv|jsonl)")
DONE, FAILED = "done", "failed"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file in a place: its name, its size in bytes, and the time of its last change in nanoseconds since 1970.

    etag: the bucket's digest of the content; empty for a folder. The times in a bucket are whole seconds, so they alone
    do not show every change.
    """

    name: str
    bytes: int
    changed_ns: int
    etag: str = ""


class Place:
    """A folder or a bucket prefix.

    location: the path of the folder, or the URL `s3://bucket/prefix`.
    """

    def __init__(self, location: str) -> None:
        self._path: Any = AnyPath(location)
        self.location = location

    @property
    def is_bucket(self) -> bool:
        return isinstance(self._path, CloudPath)

    def require(self, *, create: bool = False) -> None:
        """Raise InvalidParameter if the folder does not exist. A bucket is not checked.

        create: if True, create a missing folder instead.
        """
        if self.is_bucket:
            return
        if create:
            self._path.mkdir(parents=True, exist_ok=True)
        if not self._path.is_dir():
            raise InvalidParameter(f"{self.location} is not a folder", field="folder")

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the files in the place, but not the files in its subfolders.

        Skip hidden files, files that a desktop system adds (such as `Thumbs.db`), and the manifest.
        """
        if not self.is_bucket:
            with os.scandir(self._path) as entries:
                for entry in entries:
                    if _is_litter(entry.name) or not entry.is_file(follow_symlinks=False):
                        continue
                    with contextlib.suppress(FileNotFoundError):  # moved away in the meantime
                        status = entry.stat(follow_symlinks=False)
                        yield Arrival(entry.name, status.st_size, status.st_mtime_ns)
            return
        for path in self._path.iterdir():
            if path.is_file() and not _is_litter(path.name):
                status = path.stat()
                yield Arrival(path.name, int(status.st_size), int(status.st_mtime * 1e9), _etag(path))

    def look(self, name: str) -> Arrival | None:
        """Return the current name, size and time of a file; None if the file does not exist."""
        path = self._path / name
        try:
            status = path.stat()
            if self.is_bucket:
                return Arrival(name, int(status.st_size), int(status.st_mtime * 1e9), _etag(path))
        except (OSError, NoStatError):
            return None
        return Arrival(name, int(status.st_size), status.st_mtime_ns)

    def holds_other(self, name: str, data: bytes) -> bool:
        """Return whether the place contains a file with this name but with other content."""
        found = self.look(name)
        return found is not None and (found.bytes != len(data) or self.read(name) != data)

    def read(self, name: str) -> bytes:
        data: bytes = (self._path / name).read_bytes()
        return data

    def write(self, name: str, data: bytes) -> None:
        """Write a file completely or not at all. A reader sees the old or the new content, but never a part of it."""
        target = self._path / name
        if self.is_bucket:
            target.write_bytes(data)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        with open(partial, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)

    def name_in(self, folder: str, name: str) -> str:
        """Return a name with which the file `name` of this place can be moved into its subfolder `folder`.

        If the subfolder contains another file of the same name, a number is added to the name. If it contains a file of
        the same name and content, that file is a copy from an interrupted move, and the name is used again.
        """
        if self.look(name) is None or self.look(f"{folder}/{name}") is None:
            return name
        data, path, number = self.read(name), PurePosixPath(name), 2
        candidate = name
        while self.holds_other(f"{folder}/{candidate}", data):
            candidate, number = f"{path.stem}-{number}{path.suffix}", number + 1
        return candidate

    def move(self, name: str, folder: str) -> None:
        """Move a file into a subfolder of this place, with the name from `name_in`. Ignore a missing file."""
        try:
            source, target = self._path / name, self._path / folder / self.name_in(folder, name)
            if self.is_bucket:
                source.rename(target)
                return
            target.parent.mkdir(exist_ok=True)
            source.replace(target)
        except FileNotFoundError:
            return

    def append(self, name: str, line: bytes) -> None:
        """Append one line to a file. In a bucket the whole file is rewritten, so the file must stay small."""
        target = self._path / name
        if self.is_bucket:
            before = target.read_bytes() if target.exists() else b""
            target.write_bytes(before + line)
            return
        with open(target, "ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def tail(self, name: str, max_bytes: int = 2**18) -> bytes:
        """Return the last complete lines of a file, at most `max_bytes` bytes; empty if there are none."""
        target = self._path / name
        try:
            if self.is_bucket:
                data: bytes = target.read_bytes()
                size, read = len(data), data[-max_bytes:]
            else:
                with open(target, "rb") as file:
                    size = file.seek(0, os.SEEK_END)
                    file.seek(max(0, size - max_bytes))
                    read = file.read()
        except FileNotFoundError:
            return b""
        return read if size <= max_bytes else read.partition(b"\n")[2]

    def cut_torn_line(self, name: str) -> None:
        """Delete an incomplete last line of a file. Such a line remains if a process is killed during `append`."""
        if self.is_bucket:
            return
        with contextlib.suppress(FileNotFoundError), open(self._path / name, "r+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 2**16))
            last = file.read()
            if last and not last.endswith(b"\n"):
                file.truncate(end - len(last) + last.rfind(b"\n") + 1)

    def lock(self) -> IO[str] | None:
        """Lock a folder for this process until the returned file is closed.

        Raise InvalidParameter if another process holds the lock. Return None for a bucket, because a bucket has no
        locks; the operator must run only one watcher for each bucket prefix.
        """
        if self.is_bucket:
            return None
        file = open(Path(self._path) / ".keyline-watch.lock", "a+")  # noqa: SIM115  held open on purpose
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise InvalidParameter(f"{self.location} is watched by another process", field="folder") from None
        return file


def _etag(path: CloudPath) -> str:
    return str(getattr(path, "etag", ""))


def _is_litter(name: str) -> bool:
    lower = name.lower()
    return name.startswith((".", "~$")) or lower in LITTER or MANIFEST.fullmatch(lower) is not None
