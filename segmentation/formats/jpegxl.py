"""Reader of JPEG XL (ISO 18181), as a bare code stream or in a container."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image

from segmentation.formats import boxes, exif
from segmentation.formats.opened import Header, Samples, without_range

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_SIZE_BITS = (9, 13, 18, 30)
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


@cache
def _register() -> None:
    # Imported only for the first JPEG XL, because the decoder takes time to load.
    import pillow_jxl  # noqa: F401


class OpenedJpegXl:
    """A JPEG XL file whose size was read from the header.

    The constructor does not use the decoder, because the decoder would decode all pixels.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.header = Header(*_size(_code_stream(data)))

    def prove(self) -> None:
        self.samples()

    def samples(self) -> Samples:
        _register()
        with Image.open(io.BytesIO(self._data), formats=("JXL",)) as image:
            image.load()
            profile, mode = image.info.get("icc_profile"), image.mode
            if sorted(image.size) != sorted((self.header.width, self.header.height)):
                raise ValueError("size")
            carried = image.info.get("exif") or b""
            self.header = Header(*image.size, resolution=exif.resolution(exif.parse(carried)), exif=carried)
            pixels = np.asarray(image)
        if mode == "F":
            raise without_range("floating-point")
        if mode.startswith("I;16"):
            notes = ("depth: 16-bit gray scaled to 8 bits",)
            return Samples(pixels.astype(np.uint16), "gray", profile=profile, notes=notes)
        if pixels.ndim == 2:
            return Samples(pixels, "gray", profile=profile)
        alpha = np.ascontiguousarray(pixels[..., -1]) if mode in ("LA", "RGBA") else None
        if mode == "LA":
            return Samples(np.ascontiguousarray(pixels[..., 0]), "gray", alpha, profile)
        return Samples(np.ascontiguousarray(pixels[..., :3]), "rgb", alpha, profile)


def _code_stream(data: bytes) -> bytes:
    """Return the first 64 bytes of the code stream. Raise EOFError if the container has no code stream."""
    if not data.startswith(_CONTAINER):
        return data[:64]
    for kind, start, end in boxes.boxes(data):
        if kind in (b"jxlc", b"jxlp"):
            return data[start + (4 if kind == b"jxlp" else 0) : end][:64]
    raise EOFError


def _size(stream: bytes) -> tuple[int, int]:
    """Return width and height from a code stream's header (ISO 18181-1, SizeHeader), before a rotation is applied."""
    if len(stream) < 4 or stream[:2] != b"\xff\x0a":
        raise EOFError
    bits, place = int.from_bytes(stream[2:], "little"), 0

    def take(count: int) -> int:
        nonlocal place
        value = bits >> place & (1 << count) - 1
        place += count
        return value

    is_small = take(1)

    def side() -> int:
        return (take(5) + 1) * 8 if is_small else take(_SIZE_BITS[take(2)]) + 1

    height = side()
    ratio = take(3)
    if not ratio:
        return side(), height
    across, down = _RATIOS[ratio]
    return height * across // down, height
