"""Reader of the first frame of a GIF (GIF89a specification); later frames are ignored."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from segmentation.errors import ImageUnreadable
from segmentation.formats.opened import DAMAGED_END, Box, Header, Samples, only_within

MAX_BLOCKS = 4096  # limit for extensions before the first frame
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL = 0xF9
_ENDING = b"\0" + bytes([_TRAILER])


class OpenedGif:
    """A GIF file with its blocks parsed up to the second frame."""

    def __init__(self, data: bytes) -> None:
        self._frame, is_animated, is_whole = _first_frame(data)
        with Image.open(io.BytesIO(self._frame), formats=("GIF",)) as image:
            notes = ("animated: first frame used",) if is_animated else ()
            self.header = Header(*image.size, notes=notes if is_whole else (*notes, DAMAGED_END))

    def prove(self) -> None:
        self.samples()

    def samples(self) -> Samples:
        with Image.open(io.BytesIO(self._frame), formats=("GIF",)) as image:
            image.load()
            box = self._frame_box
            is_filled = box == (0, 0, *image.size)
            if is_filled and image.mode == "L" and "transparency" not in image.info:
                return Samples(np.asarray(image), "gray")
            rgba = np.asarray(image.convert("RGBA"))
        alpha = only_within(np.ascontiguousarray(rgba[..., 3]), box, rgba.shape[:2])
        return Samples(np.ascontiguousarray(rgba[..., :3]), "rgb", alpha)

    @property
    def _frame_box(self) -> Box:
        """Return left, top, right and bottom of the first frame; as in browsers, the rest is transparent."""
        place = 13 + _table_bytes(self._frame[10])
        if self._frame[place] == _EXTENSION:
            place = _skip(self._frame, place + 2)
        left, top, width, height = struct.unpack_from("<4H", self._frame, place + 1)
        return left, top, left + width, top + height


def _first_frame(data: bytes) -> tuple[bytes, bool, bool]:
    """Return a GIF file with only the first frame of `data`, whether `data` is animated, and whether it is complete.

    Of the extensions before the frame, only the last graphic control, which applies to the frame, is left in.
    Raise EOFError if the first frame is missing, and ImageUnreadable for more than MAX_BLOCKS extensions.
    """
    place = 13 + _table_bytes(data[10]) if len(data) > 12 else len(data)
    beginning, control = data[:place], b""
    for _ in range(MAX_BLOCKS):
        if place >= len(data):
            raise EOFError
        kind = data[place]
        if kind == _EXTENSION:
            end = _skip(data, place + 2)
            if data[place + 1 : place + 2] == bytes([_GRAPHIC_CONTROL]):
                control = data[place:end]
            place = end
        elif kind == _IMAGE:
            if place + 10 > len(data):
                raise EOFError
            start = place + 11 + _table_bytes(data[place + 9])
            end = _skip(data, start)
            if end > len(data) or data[end - 1 : end] != b"\0":
                return beginning + control + _mended(data[place:], start - place), False, False
            return beginning + control + data[place:end] + _ENDING[1:], *_what_follows(data, end)
        else:
            raise ValueError("block")
    raise ImageUnreadable("The GIF file is built of far more parts than a picture needs.")


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 0x07) + 1) if flags & 0x80 else 0


def _skip(data: bytes, place: int) -> int:
    """Return the position after a chain of sub-blocks.

    If the chain is truncated, the position is beyond the file's end.
    """
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return place + 1


def _mended(data: bytes, start: int) -> bytes:
    """Return a complete file made from a truncated file.

    The length of the last sub-block is corrected, and the end marker is added.

    start: the position of the first sub-block.
    """
    place = start
    while place < len(data) and place + 1 + data[place] <= len(data):
        place += 1 + data[place]
    rest = data[place + 1 :]
    return data[:place] + (bytes([len(rest)]) + rest if rest else b"") + _ENDING


def _what_follows(data: bytes, place: int) -> tuple[bool, bool]:
    """Return whether another frame follows the first frame, and whether the file is complete.

    The file counts as complete if another frame or the trailer follows.
    """
    for _ in range(MAX_BLOCKS):
        if place >= len(data):
            return False, False
        if data[place] == _EXTENSION:
            place = _skip(data, place + 2)
        else:
            return data[place] == _IMAGE, data[place] in (_IMAGE, _TRAILER)
    return False, True
