"""Reader of JPEG XL (ISO 18181), as a bare code stream or in a container."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache

import imagecodecs
import numpy as np
from PIL import Image

from segmentation.formats import boxes, exif, jpeg
from segmentation.formats.opened import Header, Samples, without_range

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_HEAD_BYTES = 128
_SIZE_BITS = (9, 13, 18, 30)
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_SIDES_SWAPPED = (5, 6, 7, 8)


@cache
def _register() -> None:
    # Imported only for the first JPEG XL, because the decoder takes time to load.
    import pillow_jxl  # noqa: F401


class OpenedJpegXl:
    """A JPEG XL file whose header has been read.

    The constructor does not use the decoder, because the decoder would decode all pixels. For a JPEG that was packed
    without loss, the decoder returns the pixels as the JPEG stores them. For other files it returns upright pixels.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._head = _head(_code_stream(data))
        if self._head.is_floating:
            raise without_range("floating-point")
        is_packed_jpeg = data.startswith(_CONTAINER) and any(kind == b"jbrd" for kind, _, _ in boxes.boxes(data))
        self._turn = self._head.orientation if is_packed_jpeg else 1
        self.header = self._header(None, b"")

    def _header(self, resolution: tuple[float, float] | None, carried: bytes) -> Header:
        head = self._head
        width, height = head.width, head.height
        if self._turn == 1 and head.orientation in _SIDES_SWAPPED:
            width, height = height, width
        notes = ("animated: first frame used",) if head.is_animated else ()
        return Header(width, height, self._turn, head.orientation, resolution, notes, carried)

    def prove(self) -> None:
        self.samples()

    def samples(self) -> Samples:
        _register()
        with Image.open(io.BytesIO(self._data), formats=("JXL",)) as image:
            image.load()
            profile, mode = image.info.get("icc_profile"), image.mode
            if image.size != (self.header.width, self.header.height):
                raise ValueError("size")
            carried = image.info.get("exif") or b""
            self.header = self._header(jpeg.resolution(image) or exif.resolution(exif.parse(carried)), carried)
            pixels = np.asarray(image)
        if self._head.is_animated:
            pixels = self._first_frame(pixels.shape)
        if mode == "F":
            raise without_range("floating-point")
        notes: tuple[str, ...] = ()
        if self._head.bits > 8:
            notes = (f"depth: {self._head.bits}-bit {'gray' if pixels.ndim == 2 else 'colour'} scaled to 8 bits",)
        if pixels.ndim == 2 and pixels.dtype.itemsize == 2:
            return Samples(pixels.astype(np.uint16), "gray", profile=profile, notes=notes)
        if pixels.ndim == 2:
            return Samples(pixels, "gray", profile=profile, notes=notes)
        alpha = np.ascontiguousarray(pixels[..., -1]) if mode in ("LA", "RGBA") else None
        if mode == "LA":
            return Samples(np.ascontiguousarray(pixels[..., 0]), "gray", alpha, profile, notes=notes)
        return Samples(np.ascontiguousarray(pixels[..., :3]), "rgb", alpha, profile, notes=notes)

    def _first_frame(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the first frame of an animation, of which the usual decoder returns the last one.

        shape: the height, width and channels of a frame.
        """
        pixels = imagecodecs.jpegxl_decode(self._data, index=0)
        if pixels.size != np.prod(shape):
            raise ValueError("size")
        return pixels.reshape(shape)


def _code_stream(data: bytes) -> bytes:
    """Return the first bytes of the code stream. Raise EOFError if the container has no code stream."""
    if not data.startswith(_CONTAINER):
        return data[:_HEAD_BYTES]
    found = b""
    for kind, start, end in boxes.boxes(data):
        if kind in (b"jxlc", b"jxlp"):
            found += data[start + (4 if kind == b"jxlp" else 0) : min(end, start + _HEAD_BYTES)]
            if kind == b"jxlc" or len(found) >= _HEAD_BYTES:
                break
    if not found:
        raise EOFError
    return found


@dataclass(frozen=True, slots=True)
class _Head:
    """The header of a code stream. width, height: as stored. orientation: as in EXIF. bits: of each colour channel."""

    width: int
    height: int
    orientation: int = 1
    is_animated: bool = False
    bits: int = 8
    is_floating: bool = False


class _Bits:
    """The bits of a code stream, the lowest bit of each byte first (ISO 18181-1, annex B)."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._bits & (1 << count) - 1
        self._bits >>= count
        return value

    def choice(self, *ways: tuple[int, int]) -> int:
        """Return a number that is stored in one of four ways, each with a base and a number of further bits."""
        base, count = ways[self.take(2)]
        return base + self.take(count)

    def size(self) -> tuple[int, int]:
        """Return width and height of a SizeHeader."""
        is_small = self.take(1)

        def side() -> int:
            return (self.take(5) + 1) * 8 if is_small else self.take(_SIZE_BITS[self.take(2)]) + 1

        height = side()
        ratio = self.take(3)
        if not ratio:
            return side(), height
        across, down = _RATIOS[ratio]
        return height * across // down, height

    def preview(self) -> None:
        """Skip a PreviewHeader."""
        ways = ((16, 0), (32, 0), (1, 5), (33, 9)) if self.take(1) else ((1, 6), (65, 8), (321, 10), (1345, 12))
        self.choice(*ways)
        if not self.take(3):
            self.choice(*ways)

    def animation(self) -> None:
        """Skip an AnimationHeader."""
        self.choice((100, 0), (1000, 0), (1, 10), (1, 30))
        self.choice((1, 0), (1001, 0), (1, 8), (1, 10))
        self.choice((0, 0), (0, 3), (0, 16), (0, 32))
        self.take(1)


def _head(stream: bytes) -> _Head:
    """Return the header of a code stream (ISO 18181-1: SizeHeader, and ImageMetadata up to the bit depth)."""
    if len(stream) < 4 or stream[:2] != b"\xff\x0a":
        raise EOFError
    bits = _Bits(stream[2:])
    width, height = bits.size()
    if bits.take(1):  # all other values are the usual ones
        return _Head(width, height)
    orientation, is_animated = 1, False
    if bits.take(1):
        orientation = bits.take(3) + 1
        if bits.take(1):
            bits.size()  # the intrinsic size
        if bits.take(1):
            bits.preview()
        is_animated = bool(bits.take(1))
        if is_animated:
            bits.animation()
    if bits.take(1):
        depth = bits.choice((32, 0), (16, 0), (24, 0), (1, 6))
        return _Head(width, height, orientation, is_animated, depth, is_floating=True)
    depth = bits.choice((8, 0), (10, 0), (12, 0), (1, 6))
    return _Head(width, height, orientation, is_animated, depth)
