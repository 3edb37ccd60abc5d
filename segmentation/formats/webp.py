"""Reader of WebP (RFC 9649). The decoder gets a file with only the pixels, the colour profile and the first frame."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from segmentation.errors import ImageUnreadable
from segmentation.formats import exif
from segmentation.formats.opened import DAMAGED_END, Box, Header, Samples, only_within

MAX_CHUNKS = 100_000
_PIXELS = (b"VP8 ", b"VP8L", b"ANMF")
_KEPT = (b"VP8X", b"ICCP", b"ANIM", b"ALPH", *_PIXELS)


class OpenedWebp:
    """A WebP file with parsed chunks."""

    def __init__(self, data: bytes) -> None:
        chunks, frames, is_whole = _parse(data)
        if not any(kind in chunks for kind in _PIXELS):
            raise EOFError
        self._file = _riff([(kind, chunks[kind]) for kind in _KEPT if kind in chunks])
        self._profile = chunks.get(b"ICCP")
        self._frame_box = _frame_box(chunks.get(b"ANMF", b""))
        tags = exif.parse(chunks.get(b"EXIF"))
        turn = exif.orientation(tags)
        notes: tuple[str, ...] = (f"animated: first of {frames} frames used",) if frames > 1 else ()
        with self._image() as image:
            notes = notes if is_whole else (*notes, DAMAGED_END)
            self.header = Header(*image.size, turn, turn, exif.resolution(tags), notes, chunks.get(b"EXIF", b""))

    def _image(self) -> Image.Image:
        return Image.open(io.BytesIO(self._file), formats=("WEBP",))

    def prove(self) -> None:
        self.samples()

    def samples(self) -> Samples:
        with self._image() as image:
            image.load()
            pixels = np.asarray(image)
        alpha = np.ascontiguousarray(pixels[..., 3]) if pixels.shape[2] == 4 else None
        if self._frame_box is not None:
            alpha = only_within(alpha, self._frame_box, pixels.shape[:2])
        return Samples(np.ascontiguousarray(pixels[..., :3]), "rgb", alpha, self._profile)


def _frame_box(frame: bytes) -> Box | None:
    """Return the place of an animation's frame in the picture; None without animation. frame: the chunk `ANMF`."""
    if len(frame) < 12:
        return None
    x, y, width, height = (int.from_bytes(frame[place : place + 3], "little") for place in (0, 3, 6, 9))
    return 2 * x, 2 * y, 2 * x + width + 1, 2 * y + height + 1


def _parse(data: bytes) -> tuple[dict[bytes, bytes], int, bool]:
    """Return the first chunk of each kind, the number of frames, and whether the file is complete."""
    found: dict[bytes, bytes] = {}
    frames, place = 0, 12
    end = min(len(data), 8 + max(4, int.from_bytes(data[4:8], "little")))
    if end <= 20:  # some writers leave the length 0
        end = len(data)
    for _ in range(MAX_CHUNKS):
        if place + 8 > end:
            return found, frames, place >= end and len(data) >= end
        kind, length = struct.unpack_from("<4sI", data, place)
        body = data[place + 8 : place + 8 + length]
        if len(body) < length:
            return found, frames, False
        frames += kind == b"ANMF"
        if kind in (*_KEPT, b"EXIF"):
            found.setdefault(kind, body)
        place += 8 + length + (length & 1)
    raise ImageUnreadable("The WebP file is built of far more parts than a picture needs.")


def _riff(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return a WebP file that consists of the given chunks, with the matching flags in its header."""
    kinds = {kind for kind, _ in chunks}
    parts = []
    for kind, body in chunks:
        if kind == b"VP8X" and len(body) >= 10:
            flags = body[0] & 0x10 | (0x20 if b"ICCP" in kinds else 0) | (0x02 if b"ANMF" in kinds else 0)
            body = bytes([flags]) + body[1:]
        parts += [kind, struct.pack("<I", len(body)), body, b"\0" * (len(body) & 1)]
    content = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(content)) + content
