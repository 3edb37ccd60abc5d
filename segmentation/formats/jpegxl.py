"""Reader of JPEG XL (ISO 18181), as a bare code stream or in a container."""

from __future__ import annotations

import io
from functools import cache

import imagecodecs
import numpy as np
from PIL import Image

from segmentation.encoding import Encoding
from segmentation.errors import ImageUnreadable
from segmentation.formats import boxes, exif, jpeg
from segmentation.formats.jpegxl_head import HEAD_BYTES, head
from segmentation.formats.opened import Header, Samples, widened, without_range

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_SIDES_SWAPPED = (5, 6, 7, 8)
_PROFILE_IGNORED = "icc: profile of an animation ignored"


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
        self._head = head(_code_stream(data))
        if self._head.is_floating:
            raise without_range("floating-point")
        if self._head.is_animated and self._head.bits > 16:
            raise ImageUnreadable("The JPEG XL animation has more than 16 bits a channel, which is not supported.")
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
        return self._first_frame() if self._head.is_animated else self._still()

    def _still(self) -> Samples:
        _register()
        with Image.open(io.BytesIO(self._data), formats=("JXL",)) as image:
            image.load()
            profile, mode = image.info.get("icc_profile"), image.mode
            if image.size != (self.header.width, self.header.height):
                raise ValueError("size")
            carried = image.info.get("exif") or b""
            self.header = self._header(jpeg.resolution(image) or exif.resolution(exif.parse(carried)), carried)
            pixels = np.asarray(image)
        if mode == "F":
            raise without_range("floating-point")
        return self._samples(pixels, mode in ("LA", "RGBA"), profile)

    def _first_frame(self) -> Samples:
        """Return the first frame of an animation.

        The decoder of stills is not used here, because it decodes all frames and returns the last one. The decoder of
        frames returns neither the ICC profile nor the EXIF data, and does not scale the levels to the full range.
        """
        carried = _exif(self._data)
        self.header = self._header(exif.resolution(exif.parse(carried)), carried)
        pixels = imagecodecs.jpegxl_decode(self._data, index=0)
        channels = (1 if self._head.is_gray else 3) + self._head.has_alpha
        if pixels.size != self.header.width * self.header.height * channels:
            raise ValueError("size")
        pixels = pixels.reshape((self.header.height, self.header.width, channels)[: 2 if channels == 1 else 3])
        notes = (_PROFILE_IGNORED,) if self._head.has_profile else ()
        pixels = widened(pixels, self._head.bits)
        return self._samples(pixels, self._head.has_alpha, None, self._head.encoding, notes)

    def _samples(
        self,
        pixels: np.ndarray,
        has_alpha: bool,
        profile: bytes | None,
        encoding: Encoding | None = None,
        notes: tuple[str, ...] = (),
    ) -> Samples:
        """Return decoded pixels as samples.

        pixels: (H, W) or (H, W, channels), uint8 or uint16.
        has_alpha: whether the last channel is an alpha.
        profile, encoding, notes: as in Samples.
        """
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        is_gray = channels <= 2
        if self._head.bits > 8:
            notes = (f"depth: {self._head.bits}-bit {'gray' if is_gray else 'colour'} scaled to 8 bits", *notes)
        if pixels.dtype.itemsize == 2:
            pixels = pixels.astype(np.uint16)
        if channels == 1:
            return Samples(pixels, "gray", None, profile, encoding, notes)
        alpha = np.ascontiguousarray(pixels[..., -1]) if has_alpha else None
        if is_gray:
            return Samples(np.ascontiguousarray(pixels[..., 0]), "gray", alpha, profile, encoding, notes)
        return Samples(np.ascontiguousarray(pixels[..., :3]), "rgb", alpha, profile, encoding, notes)


def _exif(data: bytes) -> bytes:
    """Return the EXIF data of a container, without the offset before it; empty if there is none."""
    place = boxes.find(data, b"Exif") if data.startswith(_CONTAINER) else None
    if place is None:
        return b""
    start = place[0] + 4 + int.from_bytes(data[place[0] : place[0] + 4], "big")
    return data[start : place[1]]


def _code_stream(data: bytes) -> bytes:
    """Return the first bytes of the code stream. Raise EOFError if the container has no code stream."""
    if not data.startswith(_CONTAINER):
        return data[:HEAD_BYTES]
    found = b""
    for kind, start, end in boxes.boxes(data):
        if kind in (b"jxlc", b"jxlp"):
            found += data[start + (4 if kind == b"jxlp" else 0) : min(end, start + HEAD_BYTES)]
            if kind == b"jxlc" or len(found) >= HEAD_BYTES:
                break
    if not found:
        raise EOFError
    return found
