"""Decoding of run-length encoded BMP (BI_RLE8 and BI_RLE4)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segmentation.errors import ImageUnreadable

_END_OF_ROW, _END, _MOVE = 0, 1, 2
_SPARE_CODES = 1024


class Runs(NamedTuple):
    """Decoded rows, the lowest one first.

    indexes: (H, W) uint8, into the palette. skipped: (H, W) bool, True for pixels that the file does not contain; None
    if it contains all. is_whole: whether the end mark is there.
    """

    indexes: np.ndarray
    skipped: np.ndarray | None
    is_whole: bool


def decoded(data: bytes, width: int, height: int, bits: int) -> Runs:
    """Decode the pixels. Pixels outside the picture are ignored. bits: 4 or 8.

    Raise EOFError if the end mark is missing and the last row is neither complete nor ended. Raise ImageUnreadable for
    more codes than two for each pixel and four for each row.
    """
    rows = _Rows(width, height)
    left = 2 * width * height + 4 * height + _SPARE_CODES
    part = bytearray()  # the pixels since the last end of a row or move
    x = y = place = 0
    is_whole = False
    last = len(data) - 1
    while place < last and y < height:
        left -= 1
        if left < 0:
            raise ImageUnreadable("The BMP file is built of far more parts than a picture needs.")
        count, value = data[place], data[place + 1]
        place += 2
        if count:
            if len(part) < width:
                part += data[place - 1 : place] * count if bits == 8 else _run(value, count)
        elif value > _MOVE:
            stored = (value * bits + 7) // 8
            if len(part) < width:
                literal = data[place : place + stored]
                part += literal if bits == 8 else _halves(literal)[:value]
            place += stored + (stored & 1)
        else:
            if part:
                rows.put(x, y, part)
                x, part = x + len(part), bytearray()
            if value == _END:
                is_whole = True
                break
            if value == _END_OF_ROW:
                x, y = 0, y + 1
            elif place < last:
                x, y, place = x + data[place], y + data[place + 1], place + 2
            else:
                break
    rows.put(x, y, part)
    is_whole = is_whole or data[place : place + 2] == bytes([0, _END])
    is_full = 0 not in rows.drawn
    if not is_whole and not is_full and y < height:
        raise EOFError
    shape = height, width
    skipped = None if is_full else np.frombuffer(rows.drawn, np.uint8).reshape(shape) == 0
    return Runs(np.frombuffer(rows.indexes, np.uint8).reshape(shape), skipped, is_whole)


class _Rows:
    """The decoded rows. indexes: of all pixels. drawn: 1 for each pixel that the file contains."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self.indexes, self.drawn = bytearray(width * height), bytearray(width * height)

    def put(self, x: int, y: int, part: bytearray) -> None:
        kept = min(len(part), self._width - x)
        if kept > 0 and y < self._height:
            start = y * self._width + x
            self.indexes[start : start + kept], self.drawn[start : start + kept] = part[:kept], b"\1" * kept


def _run(value: int, count: int) -> bytes:
    return (bytes([value >> 4, value & 15]) * (count // 2 + 1))[:count]


def _halves(stored: bytes) -> bytes:
    return bytes(half for value in stored for half in (value >> 4, value & 15))
