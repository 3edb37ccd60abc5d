"""Decoding of run-length encoded BMP (BI_RLE8 and BI_RLE4)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_END_OF_ROW, _END, _MOVE = 0, 1, 2


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

    Raise EOFError if neither the end mark nor the last pixels are there.
    """
    size = width * height
    indexes, drawn = bytearray(size), bytearray(size)
    x = y = place = 0
    is_whole = False
    filled = b"\xff" * 256
    while y < height and place + 1 < len(data):
        count, value = data[place], data[place + 1]
        place += 2
        if count:
            run = _run(value, count, bits)
        elif value == _END_OF_ROW:
            x, y = 0, y + 1
            continue
        elif value == _END:
            is_whole = True
            break
        elif value == _MOVE:
            if place + 1 >= len(data):
                break
            x, y, place = x + data[place], y + data[place + 1], place + 2
            continue
        else:
            count, stored = value, (value * bits + 7) // 8
            run = _literal(data[place : place + stored], bits)[:count]
            place += stored + (stored & 1)
        kept = min(len(run), width - x)
        if kept > 0:
            start = y * width + x
            indexes[start : start + kept], drawn[start : start + kept] = run[:kept], filled[:kept]
        x += count
    is_whole = is_whole or data[place : place + 2] == bytes([0, _END])
    is_full = 0 not in drawn
    if not is_whole and not is_full:
        raise EOFError
    shape = height, width
    skipped = None if is_full else np.frombuffer(drawn, np.uint8).reshape(shape) == 0
    return Runs(np.frombuffer(indexes, np.uint8).reshape(shape), skipped, is_whole)


def _run(value: int, count: int, bits: int) -> bytes:
    if bits == 8:
        return bytes([value]) * count
    return (bytes([value >> 4, value & 15]) * (count // 2 + 1))[:count]


def _literal(stored: bytes, bits: int) -> bytes:
    if bits == 8:
        return stored
    return bytes(half for value in stored for half in (value >> 4, value & 15))
