"""Reader of BMP (Windows DIB headers up to version 5), including an ICC profile after the pixels."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from segmentation.errors import ImageUnreadable
from segmentation.formats import exif
from segmentation.formats.opened import DAMAGED_END, Header, Samples

_RLE = (1, 2)
_EMBEDDED_FILES = {4: "JPEG", 5: "PNG"}
_CALIBRATED, _SRGB, _EMBEDDED_PROFILE = 0, *(int.from_bytes(name, "big") for name in (b"sRGB", b"MBED"))
_V4_BYTES, _V5_BYTES = 108, 124


class OpenedBmp:
    """A BMP file with a parsed header."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        notes: tuple[str, ...] = ()
        offset, size = struct.unpack_from("<I", data, 10)[0], struct.unpack_from("<I", data, 14)[0]
        self._resolution = None
        if size >= 40:
            width, height, _, bits, packing, _, across, down = struct.unpack_from("<iiHHIIii", data, 18)
            self._resolution = exif.plausible(across, down, unit="m")
            if packing in _EMBEDDED_FILES:
                raise ImageUnreadable(f"The BMP holds a {_EMBEDDED_FILES[packing]}, which is not supported.")
        else:
            width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
            packing = 0
        row_bytes = (abs(width) * bits + 7) // 8
        stride = (row_bytes + 3) // 4 * 4
        if packing not in _RLE:
            missing = offset + stride * abs(height) - len(data)
            if 0 < missing <= max(stride - row_bytes, 3):  # the padding of the last row, or one pixel of it
                self._data, notes = data + bytes(missing), (DAMAGED_END,)
        self._header_bytes = size
        with self._image() as image:
            self.header = Header(*image.size, resolution=self._resolution, notes=notes)

    def _image(self) -> Image.Image:
        return Image.open(io.BytesIO(self._data), formats=("BMP",))

    def prove(self) -> None:
        self.samples()

    def samples(self) -> Samples:
        with self._image() as image:
            image.load()
            profile = self._profile()
            notes = ("calibrated: colours of the header ignored",) if self._is_calibrated() else ()
            if image.mode in ("1", "L"):
                return Samples(np.asarray(image.convert("L")), "gray", profile=profile, notes=notes)
            rgba = np.asarray(image.convert("RGBA"))
        alpha = np.ascontiguousarray(rgba[..., 3])
        colors = np.ascontiguousarray(rgba[..., :3])
        return Samples(colors, "rgb", alpha if alpha.any() else None, profile, notes=notes)

    def _profile(self) -> bytes | None:
        if self._header_bytes < _V5_BYTES or self._space() != _EMBEDDED_PROFILE:
            return None
        start, length = struct.unpack_from("<II", self._data, 14 + 112)
        return self._data[14 + start : 14 + start + length] or None

    def _space(self) -> int:
        """Return the colour space type of a header of version 4 or 5. For older versions, return the type sRGB."""
        if self._header_bytes < _V4_BYTES or len(self._data) < 14 + _V4_BYTES:
            return _SRGB
        return int(struct.unpack_from("<I", self._data, 14 + 56)[0])

    def _is_calibrated(self) -> bool:
        """Return whether the header contains its own primaries and gammas, which browsers ignore."""
        return self._space() == _CALIBRATED and any(self._data[14 + 60 : 14 + 108])
