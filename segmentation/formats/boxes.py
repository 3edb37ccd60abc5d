"""Reader of boxes, the nested parts of some file formats. A box has a length, a kind of four bytes, and a content.

ISO base media files (ISO 14496-12: HEIF, AVIF), JPEG 2000 (ISO 15444-1) and JPEG XL (ISO 18181-2) consist of boxes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from segmentation.encoding import Encoding, from_code_points
from segmentation.formats import av1

MAX_BOXES = 4096
_BEGINNING_BYTES = 128
_DERIVED = (b"grid", b"iden", b"iovl", b"tmap")


@dataclass(frozen=True, slots=True)
class ItemColors:
    """The colour and rotation of a file's primary item, which is the picture to show.

    turn: the rotation as an EXIF orientation, 1..8.
    """

    profile: bytes | None = None
    encoding: Encoding | None = None
    turn: int = 1


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield for each box its kind, and the positions where its content starts and ends in `data`.

    Stop at a broken box. At most MAX_BOXES boxes are read.

    start, end: the part of `data` to read. If `end` is None, read to the end of the data.
    """
    end = len(data) if end is None else min(end, len(data))
    for _ in range(MAX_BOXES):
        if start + 8 > end:
            return
        size, kind, content = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], start + 8
        if size == 1:
            size, content = int.from_bytes(data[content : content + 8], "big"), content + 8
        elif size == 0:
            size = end - start
        if size < content - start:
            return
        yield kind, content, min(start + size, end)
        start += size


def find(data: bytes, *path: bytes, start: int = 0, end: int | None = None) -> tuple[int, int] | None:
    """Return the start and the end of a nested box's content in `data`, or None if there is no such box.

    path: the kinds of nested boxes, from the outer box to the inner box.
    start, end: the part of the data to search. If `end` is None, search to the end of the data.

    The version field of the box `meta`, four bytes, is skipped.
    """
    for kind, content, stop in boxes(data, start, end):
        if kind == path[0]:
            content += 4 if kind == b"meta" else 0
            return find(data, *path[1:], start=content, end=stop) if len(path) > 1 else (content, stop)
    return None


def item_colors(data: bytes) -> ItemColors:
    """Return profile, encoding and rotation of the primary item of a HEIF or AVIF file.

    A missing property gets its default value.
    """
    profile = encoding = stream = None
    is_given = False
    angle, mirror = 0, None
    for kind, body in _main_properties(data):
        if kind == b"colr" and body[:4] in (b"prof", b"rICC"):
            profile = profile or body[4:]
        elif kind == b"colr" and body[:4] == b"nclx" and len(body) >= 8:
            points = int.from_bytes(body[4:6], "big"), int.from_bytes(body[6:8], "big")
            encoding, is_given = encoding or from_code_points(*points, still=False), True
        elif kind == b"av1C":
            stream = av1.code_points(_main_beginning(data))
        elif kind == b"irot" and body:
            # After a mirror, the rotation is the same as the opposite rotation before it.
            angle = body[0] & 3 if mirror is None else -body[0] & 3
        elif kind == b"imir" and body:
            mirror = body[0] & 1
    if stream and not is_given:
        encoding = from_code_points(*stream, still=False)
    return ItemColors(profile, encoding, _TURNS[angle, mirror])


# The EXIF orientation of a rotation by a multiple of 90 degrees counter-clockwise, followed by a mirror: about the
# vertical axis (1, exchanges left and right) or the horizontal one (0, exchanges top and bottom).
_TURNS = {
    (0, None): 1, (1, None): 8, (2, None): 3, (3, None): 6,
    (0, 1): 2, (1, 1): 7, (2, 1): 4, (3, 1): 5,
    (0, 0): 4, (1, 0): 5, (2, 0): 2, (3, 0): 7,
}  # fmt: skip


def _main_properties(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return kind and content of each property of the primary item (ISO 23008-12: boxes `pitm`, `ipma` and `ipco`)."""
    item, table = _main_item(data), find(data, b"meta", b"iprp", b"ipco")
    links = find(data, b"meta", b"iprp", b"ipma")
    if item is None or table is None or links is None:
        return []
    properties = [(kind, data[content:stop]) for kind, content, stop in boxes(data, *table)]
    wanted = _associations(data[slice(*links)], item)
    return [properties[index - 1] for index in wanted if 0 < index <= len(properties)]


def _main_item(data: bytes) -> int | None:
    place = find(data, b"meta", b"pitm")
    if place is None:
        return None
    start = place[0]
    return int.from_bytes(data[start + 4 : start + (6 if data[start] == 0 else 8)], "big")


def main_codings(data: bytes) -> set[bytes]:
    """Return how the primary item is coded (ISO 23008-12, box `iinf`), for instance as `hvc1`; empty if not found.

    If it is derived from other items, such as the tiles of a grid, return the types of these items instead.
    """
    types, sources = _item_types(data), _sources(data)
    found: set[bytes] = set()
    seen: set[int] = set()
    items = {_main_item(data) or 0}
    while items:
        seen |= items
        derived = {item for item in items if types.get(item, b"") in _DERIVED}
        found |= {types.get(item, b"") for item in items - derived}
        items = {source for item in derived for source in sources.get(item, ())} - seen
    return found - {b""}


def _item_types(data: bytes) -> dict[int, bytes]:
    """Return the type of each item by its number."""
    place = find(data, b"meta", b"iinf")
    if place is None:
        return {}
    types: dict[int, bytes] = {}
    for kind, start, _ in boxes(data, place[0] + (6 if data[place[0]] == 0 else 8), place[1]):
        if kind == b"infe" and data[start] in (2, 3):
            wide = 2 * data[start] - 2
            item = int.from_bytes(data[start + 4 : start + 4 + wide], "big")
            types[item] = data[start + 6 + wide : start + 10 + wide]
    return types


def _sources(data: bytes) -> dict[int, list[int]]:
    """Return for each derived item the items from which it is made (ISO 14496-12, box `iref`, references `dimg`)."""
    place = find(data, b"meta", b"iref")
    if place is None:
        return {}
    wide = 4 if data[place[0]] else 2
    found: dict[int, list[int]] = {}
    for kind, start, stop in boxes(data, place[0] + 4, place[1]):
        if kind == b"dimg":
            numbers = data[start + wide + 2 : stop]
            sources = [int.from_bytes(numbers[at : at + wide], "big") for at in range(0, len(numbers), wide)]
            found.setdefault(int.from_bytes(data[start : start + wide], "big"), []).extend(sources)
    return found


def _main_beginning(data: bytes) -> bytes:
    """Return the first bytes of the primary item's coded data (ISO 14496-12, box `iloc`).

    Return empty bytes if the data is not found.
    """
    place = find(data, b"meta", b"iloc")
    if place is None:
        return b""
    at, version = place[0], data[place[0]]
    offset_size, base_size = data[at + 4] >> 4, data[at + 5] >> 4
    length_size, index_size = data[at + 4] & 15, data[at + 5] & 15 if version else 0
    at += 6

    def take(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(data[at - size : at], "big")

    wide = 4 if version == 2 else 2
    wanted = _main_item(data)
    for _ in range(min(take(wide), MAX_BOXES)):
        item = take(wide)
        method = take(2) & 15 if version else 0
        take(2)
        base, extents = take(base_size), take(2)
        first = None
        for _ in range(min(extents, MAX_BOXES)):
            take(index_size)
            extent = take(offset_size), take(length_size)
            first = first or extent
        if item == wanted and first is not None and method == 0:
            start = base + first[0]
            return data[start : start + min(first[1] or _BEGINNING_BYTES, _BEGINNING_BYTES)]
    return b""


def _associations(body: bytes, item: int) -> list[int]:
    """Return the indices, from 1, of an item's properties.

    body: the content of the box `ipma`.
    """
    version, is_wide, place = body[0], bool(body[3] & 1), 8
    for _ in range(min(int.from_bytes(body[4:8], "big"), MAX_BOXES)):
        step = 4 if version else 2
        found = int.from_bytes(body[place : place + step], "big")
        place += step
        count, size = body[place] if place < len(body) else 0, 2 if is_wide else 1
        place += 1
        if found == item:
            values = [int.from_bytes(body[place + k * size : place + (k + 1) * size], "big") for k in range(count)]
            return [value & (0x7FFF if is_wide else 0x7F) for value in values]
        place += count * size
    return []
