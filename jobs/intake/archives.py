"""Convert a zip of pictures into checked sources. Only one file of the zip is in memory at a time.

File names in the zip are never used as paths on the server. They are checked anyway, so that a zip with dangerous names
is rejected completely.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from pathlib import PurePosixPath
from typing import IO

from django.conf import settings

from jobs.intake.archive_names import names_of
from jobs.intake.litter import is_litter
from jobs.intake.sources import ReopenedContent, Source, accept_bytes, accept_or_refuse, clean_name
from segmentation.errors import ImageTooLarge, ImageUnreadable, InvalidParameter
from segmentation.image import Limits

SIGNATURE = b"PK\x03\x04"
EMPTY_SIGNATURE = b"PK\x05\x06"
MAX_DEPTH = 8
MAX_RATIO = 200
MAX_PROVEN_PIXELS = 100_000_000  # the number of pixels of an archive that are decoded during the request
RATIO_FREE_BYTES = 2**20  # small files of one colour compress well and are harmless
# Other methods unpack whole blocks at once, so a small file could fill the memory.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR = struct.Struct("<4sLQL")
_NOT_UNPACKED = "The file cannot be unpacked from the archive."
_END_64_SIGNATURE = b"PK\x06\x07"
_MAX_COMMENT = 65_535
_LOCAL_HEADER_BYTES = 30  # including the name, which has one byte per letter here (code page 437)
_ENTRY_BYTES = 1024  # per entry of the directory: a header of 46 bytes, the name, some extra fields


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """The limits of a zip.

    max_entries: the largest number of files.
    max_bytes: the largest size of the zip, and the largest total size of its unpacked files.
    """

    max_entries: int
    max_bytes: int


def archive_limits() -> ArchiveLimits:
    return ArchiveLimits(settings.MATTING_MAX_IMAGES_PER_JOB, settings.MATTING_MAX_ARCHIVE_BYTES)


def sources_in(
    file: IO[bytes], *, limits: Limits, archive_limits: ArchiveLimits, field: str, keeps_folders: bool = False
) -> list[Source]:
    """Check the files of a zip and return one source for each file.

    Hidden files and files that desktop systems add are skipped. Another file that is not a picture becomes a
    RefusedSource.

    limits: the limits of each picture.
    archive_limits: the limits of the zip.
    field: the name of the request field, for error messages.
    keeps_folders: whether the name of a picture includes its folders in the zip. In this case a zip of the results
        has the same folders.

    Raise InvalidParameter if the file is not a zip, is encrypted, has too many files or too many nested folders, or
    contains names that point outside the zip. Raise ImageTooLarge if the zip or the unpacked files are too large.
    """
    _check_end(file, archive_limits, field)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise InvalidParameter(f"{field}: not a zip archive that can be read", field=field) from error
    _check_overlaps(archive, field)
    files = [entry for entry in archive.infolist() if not entry.is_dir()]
    for entry, name in zip(files, names_of(files), strict=True):
        entry.filename = name  # zipfile opens by the entry's offset, so the readable name may replace the stored one
    entries = [entry for entry in files if not is_litter(entry.filename)]
    _check_entries(entries, archive_limits, field)
    budget = _Budget(MAX_PROVEN_PIXELS)
    return [
        _source(archive, entry, entry.filename if keeps_folders else clean_name(entry.filename), limits, budget)
        for entry in entries
    ]


@dataclass(slots=True)
class _Budget:
    """The number of pixels that may still be decoded while a zip is checked.

    When this number is used up, only the headers of further pictures are checked. Workers decode these pictures later.
    """

    pixels: int


def _source(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, limits: Limits, budget: _Budget) -> Source:
    read = partial(_unpacked, archive, entry, limits.max_bytes)

    def accept() -> Source:
        source = accept_bytes(read(), name=name, limits=limits, prove_pixels=budget.pixels)
        budget.pixels -= source.probe.width * source.probe.height
        return replace(source, content=ReopenedContent(read))

    return accept_or_refuse(accept, name=name)


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, max_bytes: int) -> bytes:
    """Return the unpacked content of one file of a zip.

    Raise ImageUnreadable if the file cannot be unpacked. Raise ImageTooLarge if its content has more than `max_bytes`
    bytes.
    """
    if entry.compress_type not in _METHODS:
        raise ImageUnreadable("The file is packed by another method than deflate.")
    try:
        with archive.open(entry) as member:
            data = member.read(max_bytes + 1)
    except OSError as error:
        if error.errno is not None:  # a fault of the disk, not of the archive
            raise
        raise ImageUnreadable(_NOT_UNPACKED) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error) as error:
        raise ImageUnreadable(_NOT_UNPACKED) from error
    if len(data) > max_bytes:
        raise ImageTooLarge
    return data


def _check_end(file: IO[bytes], limits: ArchiveLimits, field: str) -> None:
    """Check the size of a zip and the record at its end before the list of its files is read.

    Without this check, a manipulated list of files could use up the memory.
    """
    size = file.seek(0, io.SEEK_END)
    if size > limits.max_bytes:
        raise ImageTooLarge(f"{field}: the archive is larger than {limits.max_bytes / 2**20:.4g} MB", field=field)
    file.seek(max(0, size - _END_64_LOCATOR.size - _END.size - _MAX_COMMENT))
    tail = file.read()
    place = tail.rfind(EMPTY_SIGNATURE)
    if place < 0 or len(tail) - place < _END.size:
        raise InvalidParameter(f"{field}: not a zip archive", field=field)
    if tail.startswith(_END_64_SIGNATURE, max(0, place - _END_64_LOCATOR.size)):
        # Its values would replace those of the record, and it is needed only from 4 GB or 65,535 files on.
        raise InvalidParameter(f"{field}: zip64 archives are not accepted", field=field)
    _, _, _, _, entries, directory_bytes, _, _ = _END.unpack_from(tail, place)
    # Folders count as entries too; therefore the factor.
    if entries > 2 * limits.max_entries + 100 or directory_bytes > _ENTRY_BYTES * (2 * limits.max_entries + 100):
        raise InvalidParameter(f"{field}: more than {limits.max_entries} files", field=field)
    file.seek(0)


def _check_entries(entries: Sequence[zipfile.ZipInfo], limits: ArchiveLimits, field: str) -> None:
    if not entries:
        raise InvalidParameter(f"{field}: the archive holds no file", field=field)
    if len(entries) > limits.max_entries:
        raise InvalidParameter(f"{field}: more than {limits.max_entries} files", field=field)
    for entry in entries:
        _check_name(entry.filename, field)
        if entry.flag_bits & 0x1:
            raise InvalidParameter(f"{field}: the archive is encrypted", field=field)
        if entry.file_size > max(RATIO_FREE_BYTES, MAX_RATIO * entry.compress_size):
            raise ImageTooLarge(f"{field}: a file unpacks to more than {MAX_RATIO} times its size", field=field)
    if sum(entry.file_size for entry in entries) > limits.max_bytes:
        raise ImageTooLarge(f"{field}: unpacked, more than {limits.max_bytes / 2**20:.4g} MB", field=field)


def _check_name(name: str, field: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name):
        raise InvalidParameter(f"{field}: a name in the archive leads out of it", field=field)
    if len(path.parts) > MAX_DEPTH:
        raise InvalidParameter(f"{field}: folders in the archive are nested deeper than {MAX_DEPTH}", field=field)


def _check_overlaps(archive: zipfile.ZipFile, field: str) -> None:
    """Raise InvalidParameter if two files of a zip share bytes.

    Without this check, a small zip could contain the same data a thousand times.
    """
    ends_before = 0
    for entry in sorted(archive.infolist(), key=attrgetter("header_offset")):
        if entry.header_offset < ends_before:
            raise InvalidParameter(f"{field}: files in the archive overlap", field=field)
        ends_before = entry.header_offset + _LOCAL_HEADER_BYTES + len(entry.orig_filename) + entry.compress_size
    if ends_before > archive.start_dir:
        raise InvalidParameter(f"{field}: files in the archive overlap its directory", field=field)
