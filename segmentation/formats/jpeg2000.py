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
from segmentation.formats.opened import DAMAGED_END, Header, Samples, divided, widened

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
# Methods of the box `colr`: a code, a restricted ICC profile, and in JPX files any ICC profile.
_ENUMERATED, _PROFILES = 1, (2, 3)
# Colour spaces of ICC profiles (ICC.1, table 19) that are neither gray nor RGB.
_PROFILE_NAMES = {
    b"CMYK": "CMYK", b"Lab ": "CIELab", b"CMY ": "CMY", b"XYZ ": "CIEXYZ", b"Luv ": "CIELuv", b"YCbr": "YCbCr",
    b"Yxy ": "CIE Yxy", b"HSV ": "HSV", b"HLS ": "HLS", b"2CLR": "two-ink", b"3CLR": "three-ink", b"4CLR": "four-ink",
}  # fmt: skip
MAX_PALETTE = 1024


@dataclass(frozen=True, slots=True)
class _Channels:
    """The places of the channels among the components (ISO 15444-1, box `cdef`).

    colors: of gray, or of red, green and blue. alpha: None if there is none.
    """

    colors: tuple[int, ...]
    alpha: int | None
    is_premultiplied: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Palette:
    """The palette of a file, and how channels are made with it (ISO 15444-1, boxes `pclr` and `cmap`).

    columns: one table of values for each column of the palette.
    depths: the bits of each column's values.
    channels: for each channel its component, and the column that the component indexes; None for the component itself.
    """

    columns: tuple[np.ndarray, ...]
    depths: tuple[int, ...]
    channels: tuple[tuple[int, int | None], ...]


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
        self._palette = self._read_palette()
        stream = data[slice(*place)]
        notes: tuple[str, ...] = ()
        end = _end_of_parts(stream)
        if end is not None:
            stream, notes = stream[:end] + _END, (DAMAGED_END,)
        # Of the boxes, the decoder uses only the code for sYCC correctly.
        self._coded = data[: place[0]] + stream if self._space == _SYCC else stream
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
            method, body = self._data[start], self._data[start + 3 : end]
            if method in _PROFILES:
                name = _PROFILE_NAMES.get(body[16:20])
                if name is None:
                    return body, None
                others.append(name)
            space = int.from_bytes(body[:4], "big")
            if method == _ENUMERATED and space in _SPACE_NAMES:
                others.append(_SPACE_NAMES[space])
            elif method == _ENUMERATED:
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

    def _read_palette(self) -> _Palette | None:
        """Return the palette, or None if there is none. Raise ImageUnreadable for an unsupported kind of palette."""
        found = {kind: self._data[start:end] for kind, start, end in self._head()}
        if b"pclr" not in found:
            return None
        body, links = found[b"pclr"], found.get(b"cmap", b"")
        count, width = struct.unpack_from(">HB", body)
        depths = tuple((depth & 0x7F) + 1 for depth in body[3 : 3 + width])
        channels = tuple(
            (component, column if kind else None)
            for component, kind, column in struct.iter_unpack(">HBB", links[: len(links) // 4 * 4])
        )
        if any(depth & 0x80 for depth in body[3 : 3 + width]) or max(depths, default=17) > 16:
            raise ImageUnreadable(
                "The JPEG 2000 picture has a palette of signed samples or of more than 16 bits, which is not supported."
            )
        if self._space == _SYCC:
            raise ImageUnreadable("The JPEG 2000 picture has a palette of sYCC colours, which are not supported.")
        if len(channels) > 4:
            raise ImageUnreadable(f"The JPEG 2000 picture has {len(channels)} channels, which is not supported.")
        if not 1 <= count <= MAX_PALETTE or len(depths) != width or not channels:
            raise ValueError("palette")
        for component, column in channels:
            if component >= len(self._depths) or (column is not None and column >= width):
                raise ValueError("palette")
            if column is not None and len(self._depths) > 1 and self._depths[component] > 8:
                raise ImageUnreadable("The JPEG 2000 picture has a palette of more than 256 colours beside channels.")
        kinds = [(f"column{index}", ">u2" if depth > 8 else "u1") for index, depth in enumerate(depths)]
        table = np.frombuffer(body, np.dtype(kinds), count, 3 + width)
        return _Palette(tuple(table[name].astype(np.uint16) for name, _ in kinds), depths, channels)

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
        return Image.open(io.BytesIO(self._coded), formats=("JPEG2000",))

    def prove(self) -> None:
        self.samples()

    def samples(self) -> Samples:
        with self._image() as image:
            image.load()
            pixels = np.asarray(image)
        if pixels.dtype.itemsize == 2:
            pixels = pixels.astype(np.uint16)
        parts = [pixels] if pixels.ndim == 2 else [pixels[..., index] for index in range(pixels.shape[2])]
        depths = self._depths
        if self._palette is not None:
            parts, depths = self._looked_up(parts, self._palette)
        elif self._space != _SYCC:  # after the conversion from YCC, the decoder's channels are in order
            parts = [_widened(part, depth) for part, depth in zip(parts, depths, strict=False)]
        places = self._channels(len(parts))
        kind = "gray" if len(places.colors) == 1 else "colour"
        notes = (f"depth: 16-bit {kind} scaled to 8 bits",) if max(depths) > 8 else ()
        alpha = None if places.alpha is None else np.ascontiguousarray(parts[places.alpha])
        if len(places.colors) == 1:
            colors = np.ascontiguousarray(parts[places.colors[0]])
        else:
            colors = np.dstack([parts[index] for index in places.colors])
        if alpha is not None and places.is_premultiplied:
            colors = divided(colors, alpha)
        return Samples(colors, "gray" if colors.ndim == 2 else "rgb", alpha, self._profile, notes=notes)

    def _looked_up(self, parts: list[np.ndarray], palette: _Palette) -> tuple[list[np.ndarray], tuple[int, ...]]:
        """Return the channels of a file with a palette, of one type of samples, and their depths."""
        channels, depths = [], []
        for component, column in palette.channels:
            levels, depth = parts[component], self._depths[component]
            if column is None:
                channels.append(_widened(levels, depth))
            else:
                table, depth = palette.columns[column], palette.depths[column]
                channels.append(widened(table.take(_narrowed(levels, self._depths[component]), mode="clip"), depth))
            depths.append(depth)
        if len({channel.dtype for channel in channels}) > 1:
            channels = [
                channel if channel.dtype == np.uint16 else channel.astype(np.uint16) * 257 for channel in channels
            ]
        return channels, tuple(depths)

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


def _end_of_parts(stream: bytes) -> int | None:
    """Return the end of the tile parts of a code stream if all are there, and only its end marker is missing.

    Return None if the end marker is there, or if more is missing.
    """
    place = stream.find(_TILE_PART)
    for _ in range(MAX_TILE_PARTS):
        if place < 0 or stream[place : place + 2] != _TILE_PART or place + 10 > len(stream):
            return None
        length = int.from_bytes(stream[place + 6 : place + 10], "big")
        if not length:  # up to the end of the code stream
            return None
        place += length
        if len(stream) - len(_END) < place <= len(stream):
            return place
    return None


def _narrowed(levels: np.ndarray, bits: int) -> np.ndarray:
    """Return levels as stored. The decoder shifts them to the highest bits of uint8 or uint16.

    levels: as decoded.
    bits: of a stored level.
    """
    return levels >> max(8 * levels.dtype.itemsize - bits, 0)


def _widened(levels: np.ndarray, bits: int) -> np.ndarray:
    """Return levels as decoded, scaled to the full range of their type if they have fewer than 8 bits."""
    return levels if bits >= 8 else widened(_narrowed(levels, bits), bits)
