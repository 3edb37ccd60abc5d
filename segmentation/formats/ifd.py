"""Reader of the directories of a TIFF or BigTIFF file."""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAX_DIRECTORIES = 64
MAX_ENTRIES = 512
# Bytes per value of the types that are read: integers and text.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 13: 4, 16: 8, 18: 8}
_FORMATS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_SUB_DIRECTORIES = 330

Directory = dict[int, tuple[int, ...] | bytes]


def directories(data: bytes) -> Iterator[Directory]:
    """Yield each directory and sub-directory as a dict from tag number to the tag's first integers or its text.

    At most MAX_DIRECTORIES are read. Broken directories are skipped.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 16:
        return
    is_big = struct.unpack_from(order + "H", data, 2)[0] == 43
    first = struct.unpack_from(order + ("Q" if is_big else "I"), data, 8 if is_big else 4)[0]
    waiting, seen = [first], set[int]()
    while waiting and len(seen) < MAX_DIRECTORIES:
        place = waiting.pop(0)
        if place in seen or not 0 < place < len(data):
            continue
        seen.add(place)
        try:
            found, following = _read(data, place, order, is_big)
        except struct.error:
            continue
        yield found
        offsets = found.get(_SUB_DIRECTORIES, ())
        waiting += [*(offsets if isinstance(offsets, tuple) else ()), following]


def _read(data: bytes, place: int, order: str, is_big: bool) -> tuple[Directory, int]:
    """Return the directory at position `place`, and the position of the next directory.

    order: the byte order of the file.
    is_big: whether the file is a BigTIFF.
    """
    count = struct.unpack_from(order + ("Q" if is_big else "H"), data, place)[0]
    place += 8 if is_big else 2
    step, inline, long = (20, 8, "Q") if is_big else (12, 4, "I")
    found: Directory = {}
    for index in range(min(count, MAX_ENTRIES)):
        entry = place + index * step
        tag, kind, length = struct.unpack_from(order + "HH" + long, data, entry)
        size = _SIZES.get(kind, 0)
        if not size:
            found[tag] = b""
            continue
        length = min(length, MAX_DIRECTORIES)
        start = entry + step - inline
        if size * length > inline:
            start = struct.unpack_from(order + long, data, start)[0]
        if kind in _FORMATS:
            found[tag] = struct.unpack_from(f"{order}{length}{_FORMATS[kind]}", data, start) if length else ()
        else:
            found[tag] = data[start : start + length]
    return found, struct.unpack_from(order + long, data, place + count * step)[0] if count <= MAX_ENTRIES else 0
