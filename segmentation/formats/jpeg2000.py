"""Reader of JPEG 2000 (ISO 15444-1), as a JP2 file or as a bare code stream."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from segmentation.errors import ImageUnreadable
from segmentation.formats import boxes, exif
from segmentation.formats.opened import Header, Samples

MAX_TILES = 4096
_SIZE = struct.Struct(">HHHIIIIIIIIH")  # after SOC: marker SIZ, length, capabilities, sizes, offsets, components
_CMYK_SPACE = 12


class OpenedJpeg2000:
    """A JPEG 2000 file whose boxes and main header have been parsed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        place = boxes.find(data, b"jp2c") if data[4:8] == b"jP  " else (0, len(data))
        if place is None:
            raise EOFError
        self._check_stream(place[0])
        self._profile, is_cmyk = self._colors()
        if is_cmyk:
            raise ImageUnreadable("The JPEG 2000 picture has CMYK colours, which are not supported. Save it as RGB.")
        with self._image() as image:
            self.header = Header(*image.size, resolution=self._resolution())

    def _check_stream(self, place: int) -> None:
        marker, _, _, width, height, _, _, tile_width, tile_height, _, _, parts = _SIZE.unpack_from(
            self._data, place + 2
        )
        if marker != 0xFF51 or not tile_width or not tile_height:
            raise ValueError("header")
        if -(-width // tile_width) * -(-height // tile_height) > MAX_TILES:
            raise ImageUnreadable("The JPEG 2000 file is built of far more parts than a picture needs.")
        depths = self._data[place + 2 + _SIZE.size : place + 2 + _SIZE.size + 3 * parts]
        if any((depth & 0x7F) + 1 > 16 for depth in depths[::3]):
            raise ImageUnreadable("The JPEG 2000 picture has more than 16 bits a channel, which is not supported.")
        if any(depth & 0x80 for depth in depths[::3]):
            raise ImageUnreadable("The JPEG 2000 picture has signed samples, which are not supported.")
        self._depth = max((depth & 0x7F) + 1 for depth in depths[::3])

    def _colors(self) -> tuple[bytes | None, bool]:
        """Return the ICC profile (None if there is none) and whether the colours are CMYK."""
        head = boxes.find(self._data, b"jp2h") if self._data[4:8] == b"jP  " else None
        for kind, start, end in boxes.boxes(self._data, *head) if head else ():
            if kind == b"colr" and end - start > 3:
                if self._data[start] == 2:
                    return self._data[start + 3 : end], False
                return None, int.from_bytes(self._data[start + 3 : start + 7], "big") == _CMYK_SPACE
        return None, False

    def _resolution(self) -> tuple[float, float] | None:
        for kind in (b"resc", b"resd"):
            place = boxes.find(self._data, b"jp2h", b"res ", kind) if self._data[4:8] == b"jP  " else None
            if place and place[1] - place[0] >= 10:
                up, below, across, across_below, up_power, across_power = struct.unpack_from(
                    ">HHHHbb", self._data, place[0]
                )
                if below and across_below:
                    x, y = across / across_below * 10.0**across_power, up / below * 10.0**up_power
                    return exif.plausible(x, y, unit="m")
        return None

    def _image(self) -> Image.Image:
        return Image.open(io.BytesIO(self._data), formats=("JPEG2000",))

    def prove(self) -> None:
        self.samples()

    def samples(self) -> Samples:
        with self._image() as image:
            image.load()
            if image.mode.startswith("I;16"):
                gray = np.asarray(image).astype(np.uint16)
                return Samples(gray, "gray", profile=self._profile, notes=("depth: 16-bit gray scaled to 8 bits",))
            notes = ("depth: 16-bit colour scaled to 8 bits",) if self._depth > 8 else ()
            if image.mode == "L":
                return Samples(np.asarray(image), "gray", profile=self._profile, notes=notes)
            alpha = np.asarray(image.getchannel("A")) if image.mode in ("LA", "RGBA", "PA") else None
            if image.mode == "LA":
                return Samples(np.asarray(image.getchannel("L")), "gray", alpha, self._profile, notes=notes)
            return Samples(np.asarray(image.convert("RGB")), "rgb", alpha, self._profile, notes=notes)
