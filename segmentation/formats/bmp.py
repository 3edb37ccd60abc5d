"""Read BMP (Windows DIB headers up to version 5), with the colour space that its header gives."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from segmentation.encoding import Encoding
from segmentation.errors import ImageUnreadable
from segmentation.formats import exif
from segmentation.formats.opened import DAMAGED_END, Header, Samples

_RLE = (1, 2)
_EMBEDDED_FILES = {4: "JPEG", 5: "PNG"}
_CALIBRATED, _EMBEDDED_PROFILE = 0, int.from_bytes(b"MBED", "big")
_V4_BYTES, _V5_BYTES = 108, 124


class OpenedBmp:
    """A BMP whose header was parsed."""

    def __init__(self, data: bytes) -> None:
        self._data, notes = data, ()
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
            if 0 < missing <= stride - row_bytes:  # only what fills up the last row
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
            profile, encoding = self._colors()
            if image.mode in ("1", "L"):
                return Samples(np.asarray(image.convert("L")), "gray", profile=profile, encoding=encoding)
            rgba = np.asarray(image.convert("RGBA"))
        alpha = np.ascontiguousarray(rgba[..., 3])
        colors = np.ascontiguousarray(rgba[..., :3])
        return Samples(colors, "rgb", alpha if alpha.any() else None, profile, encoding)

    def _colors(self) -> tuple[bytes | None, Encoding | None]:
        if self._header_bytes < _V4_BYTES or len(self._data) < 14 + _V4_BYTES:
            return None, None
        kind = struct.unpack_from("<I", self._data, 14 + 56)[0]
        if kind == _EMBEDDED_PROFILE and self._header_bytes >= _V5_BYTES:
            start, length = struct.unpack_from("<II", self._data, 14 + 112)
            return self._data[14 + start : 14 + start + length] or None, None
        return None, self._calibrated() if kind == _CALIBRATED else None

    def _calibrated(self) -> Encoding | None:
        """Return the encoding of the header's end points (2.30 fixed point XYZ) and gammas (16.16)."""
        ends = np.array(struct.unpack_from("<9i", self._data, 14 + 60), float).reshape(3, 3) / 2**30
        gammas = [value / 2**16 for value in struct.unpack_from("<3I", self._data, 14 + 96)]
        if not all(0.1 < gamma < 10 for gamma in gammas) or (ends.sum(1) <= 0).any():
            return None
        white = ends.sum(0)
        points = [(row[0] / row.sum(), row[1] / row.sum()) for row in (*ends, white)]
        steps = np.linspace(0, 1, 256)
        tables = tuple(tuple((steps**gamma).tolist()) for gamma in gammas)
        flat = tuple(value for point in points for value in point)
        return Encoding("table", flat, tables=tables, source="calibrated")  # type: ignore[arg-type]
