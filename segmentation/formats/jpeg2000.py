"""Reader of JPEG 2000 (ISO 15444-1), as a JP2 file or as a bare code stream."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from segmentation.errors import ImageUnreadable
from segmentation.formats import boxes, exif
from segmentation.formats.opened import DAMAGED_END, Header, Samples, divided

MAX_TILES = 4096
MAX_TILE_PARTS = 65_536
_SIZE = struct.Struct(">HHHIIIIIIIIH")  # after SOC: marker SIZ, length, capabilities, sizes, offsets, components
_END = b"\xff\xd9"
_TILE_PART = b"\xff\x90"
# Enumerated colour spaces (ISO 15444-1, table I.10, and ISO 15444-2, table M.25).
_SRGB, _GRAY, _SYCC = 16, 17, 18
_SPACE_NAMES = {
    0: "bilevel", 1: "YCbCr", 3: "YCbCr", 4: "YCbCr", 9: "PhotoYCC", 11: "CMY", 12: "CMYK", 13: "YCCK", 14: "CIELab",
    19: "CIEJab", 20: "e-sRGB", 21: "ROMM RGB", 22: "YPbPr", 23: "YPbPr", 24: "e-sYCC",
}  # fmt: skip
_ALPHA, _PREMULTIPLIED = 1, 2


@dataclass(frozen=True, slots=True)
class _Channels:
    """The places of the channels among the components (ISO 15444-1, box `cdef`).

    colors: of gray, or of red, green and blue. alpha: None if there is none.
    """

    colors: tuple[int, ...]
    alpha: int | None
    is_premultiplied: bool = False


class OpenedJpeg2000:
    """A JPEG 2000 file whose boxes and main header have been parsed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._is_boxed = data[4:8] == b"jP  "
        place = boxes.find(data, b"jp2c") if self._is_boxed else (0, len(data))
        if place is None:
            raise EOFError
        self._check_stream(place[0])
        self._profile, self._space = self._colors()
        notes: tuple[str, ...] = ()
        if _lacks_end(data, place[0]):
            self._data, notes = data + _END, (DAMAGED_END,)
        with self._image() as image:
            self.header = Header(*image.size, resolution=self._resolution(), notes=notes)

    def _check_stream(self, place: int) -> None:
        marker, _, _, width, height, _, _, tile_width, tile_height, _, _, parts = _SIZE.unpack_from(
            self._data, place + 2
        )
        if marker != 0xFF51 or not tile_width or not tile_height:
            raise ValueError("header")
        if -(-width // tile_width) * -(-height // tile_height) > MAX_TILES:
            raise ImageUnreadable("The JPEG 2000 file is built of far more parts than a picture needs.")
        if not 1 <= parts <= 4:
            raise ImageUnreadable(f"The JPEG 2000 picture has {parts} channels, which is not supported.")
        depths = self._data[place + 2 + _SIZE.size : place + 2 + _SIZE.size + 3 * parts]
        if len(depths) < 3 * parts:
            raise EOFError
        if any((depth & 0x7F) + 1 > 16 for depth in depths[::3]):
            raise ImageUnreadable("The JPEG 2000 picture has more than 16 bits a channel, which is not supported.")
        if any(depth & 0x80 for depth in depths[::3]):
            raise ImageUnreadable("The JPEG 2000 picture has signed samples, which are not supported.")
        self._depths = tuple((depth & 0x7F) + 1 for depth in depths[::3])

    def _colors(self) -> tuple[bytes | None, int | None]:
        """Return the ICC profile, or None, and the enumerated colour space, or None for the usual one.

        Of several descriptions, the first one that is supported applies. Raise ImageUnreadable if none is.
        """
        others: list[str] = []
        for kind, start, end in self._head():
            if kind != b"colr" or end - start <= 3:
                continue
            if self._data[start] == 2:
                return self._data[start + 3 : end], None
            space = int.from_bytes(self._data[start + 3 : start + 7], "big")
            if self._data[start] == 1 and space in _SPACE_NAMES:
                others.append(_SPACE_NAMES[space])
            elif self._data[start] == 1:
                return None, space
        if others:
            raise ImageUnreadable(
                f"The JPEG 2000 picture has {others[0]} colours, which are not supported. Save it as RGB."
            )
        return None, None

    def _head(self) -> Iterator[tuple[bytes, int, int]]:
        """Yield the boxes of the header as `boxes.boxes` does; a bare code stream has none."""
        head = boxes.find(self._data, b"jp2h") if self._is_boxed else None
        if head is not None:
            yield from boxes.boxes(self._data, *head)

    def _resolution(self) -> tuple[float, float] | None:
        for kind in (b"resc", b"resd"):
            place = boxes.find(self._data, b"jp2h", b"res ", kind) if self._is_boxed else None
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
            mode, palette = image.mode, image.getpalette("RGB") if image.mode in ("P", "PA") else None
            pixels = np.asarray(image)
        kind = "gray" if mode in ("L", "LA") or mode.startswith("I;16") else "colour"
        notes = (f"depth: 16-bit {kind} scaled to 8 bits",) if max(self._depths) > 8 else ()
        if mode.startswith("I;16"):
            return Samples(pixels.astype(np.uint16), "gray", profile=self._profile, notes=notes)
        if palette is not None:
            return self._from_palette(pixels, palette, notes)
        parts = [pixels] if pixels.ndim == 2 else [pixels[..., index] for index in range(pixels.shape[2])]
        if self._space != _SYCC:  # after the conversion from YCC, the decoder's channels are in order
            parts = [_widened(part, depth) for part, depth in zip(parts, self._depths, strict=False)]
        places = self._channels(len(parts))
        alpha = None if places.alpha is None else np.ascontiguousarray(parts[places.alpha])
        if len(places.colors) == 1:
            colors = np.ascontiguousarray(parts[places.colors[0]])
        else:
            colors = np.dstack([parts[index] for index in places.colors])
        if alpha is not None and places.is_premultiplied:
            colors = divided(colors, alpha)
        return Samples(colors, "gray" if colors.ndim == 2 else "rgb", alpha, self._profile, notes=notes)

    def _from_palette(self, pixels: np.ndarray, palette: list[int], notes: tuple[str, ...]) -> Samples:
        """Return the colours of a file with a palette. palette: red, green and blue of each colour in turn."""
        table = np.zeros((256, 3), np.uint8)
        given = np.array(palette[: 3 * 256], np.uint8).reshape(-1, 3)
        table[: len(given)] = given
        indexes = pixels if pixels.ndim == 2 else pixels[..., 0]
        indexes = indexes >> max(8 - self._depths[0], 0)  # the decoder widens indexes like levels
        alpha = None if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 1])
        return Samples(table.take(indexes, axis=0), "rgb", alpha, self._profile, notes=notes)

    def _channels(self, count: int) -> _Channels:
        """Return the places of the channels among `count` components, by the box `cdef` or in the usual order."""
        usual = _Channels((0,) if count < 3 else (0, 1, 2), {2: 1, 4: 3}.get(count))
        body = next((self._data[start:end] for kind, start, end in self._head() if kind == b"cdef"), b"")
        colors: dict[int, int] = {}
        alpha, is_premultiplied = None, False
        for index in range(min((len(body) - 2) // 6, 8)):
            place, kind, part = struct.unpack_from(">3H", body, 2 + 6 * index)
            if place >= count:
                return usual
            if kind == 0:
                colors.setdefault(part, place)
            elif kind in (_ALPHA, _PREMULTIPLIED) and alpha is None:
                alpha, is_premultiplied = place, kind == _PREMULTIPLIED
        if sorted(colors) not in ([1], [1, 2, 3]):
            return usual
        return _Channels(tuple(colors[part] for part in sorted(colors)), alpha, is_premultiplied)


def _lacks_end(data: bytes, place: int) -> bool:
    """Return whether all tile parts of a code stream are there, and only its end marker is missing.

    place: the position of the code stream.
    """
    place = data.find(_TILE_PART, place)
    for _ in range(MAX_TILE_PARTS):
        if place < 0 or data[place : place + 2] != _TILE_PART or place + 10 > len(data):
            return False
        length = int.from_bytes(data[place + 6 : place + 10], "big")
        if not length:  # up to the end of the code stream
            return False
        place += length
        if len(data) - len(_END) < place <= len(data):
            return True
    return False


def _widened(levels: np.ndarray, bits: int) -> np.ndarray:
    """Return levels of fewer than 8 bits, which the decoder has only shifted, scaled to the full range of uint8."""
    if bits >= 8:
        return levels
    most = (1 << bits) - 1
    return ((np.arange(256) >> (8 - bits)) * 255 // most).astype(np.uint8).take(levels)
