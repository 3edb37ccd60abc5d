"""Reader of PNG (ISO 15948, third edition).

This module parses the chunks, and gives the decoder a file with only the critical chunks. Therefore a damaged or very
large ancillary chunk (text, profile) does not make a picture unreadable. This module also applies the transparent
colour, at the file's own bit depth.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import imagecodecs
import numpy as np
from isal import isal_zlib
from PIL import Image

from segmentation.encoding import Encoding, are_known, from_code_points
from segmentation.errors import ImageUnreadable
from segmentation.formats import exif
from segmentation.formats.opened import DAMAGED_END, DAMAGED_SUM, Header, Samples

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PROFILE_BYTES = 8 * 2**20  # decompressed size; profiles for printing presses have up to 3 MB
MAX_CHUNKS = 100_000

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # number of channels by colour type
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_GRAY, _RGB, _PALETTE = 0, 2, 3
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE_BYTES = 1 << 20
_RGB_OF_FULL_RANGE = bytes((0, 1))  # the last two bytes of cICP: the matrix and the range
_NEARLY_SRGB_GAMMA = 0.05  # deviation of gAMA times 2.2 from 1: browsers read such a gamma as sRGB if there is no cHRM


@dataclass(slots=True)
class _Chunks:
    """The chunks of one file that are needed to decode it.

    wrong_sum: whether a chunk has a wrong checksum.
    cut: whether the file is truncated.
    """

    header: bytes = b""
    found: dict[bytes, bytes] = field(default_factory=dict)
    pixels: list[memoryview] = field(default_factory=list)
    wrong_sum: bool = False
    cut: bool = False


_BEFORE_PIXELS = (b"PLTE", b"tRNS", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"acTL")


def _parse(data: bytes) -> _Chunks:
    """Parse the chunks. Raise ImageUnreadable or ValueError for damage that browsers refuse too."""
    chunks, view, place = _Chunks(), memoryview(data), len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if place + 8 > len(data):
            chunks.cut = True
            return chunks
        length, kind = struct.unpack_from(">I4s", data, place)
        body = view[place + 8 : place + 8 + length]
        end = place + 8 + length
        is_whole = end + 4 <= len(data)
        is_right = is_whole and zlib.crc32(body, zlib.crc32(kind)) == int.from_bytes(view[end : end + 4], "big")
        place = end + 4
        if not chunks.header:
            if kind == b"CgBI":
                raise ImageUnreadable("The file is a PNG for iOS apps (CgBI), which is not supported.")
            if kind != b"IHDR" or length != 13 or not is_right:
                raise ValueError("no header")
            chunks.header = bytes(body)
        elif kind == b"IEND":
            chunks.wrong_sum |= not is_right
            return chunks
        elif kind == b"IDAT":
            chunks.pixels.append(body)
            chunks.wrong_sum |= is_whole and not is_right
        elif not is_right:
            if kind == b"PLTE":
                raise ValueError("palette")
            chunks.wrong_sum |= is_whole
        elif kind == b"eXIf" or (kind in _BEFORE_PIXELS and not chunks.pixels):
            chunks.found.setdefault(kind, bytes(body))
        elif kind[0] & 0x20 == 0 and kind != b"PLTE" and not chunks.pixels:
            raise ValueError("unknown critical chunk")
        if not is_whole:
            chunks.cut = True
            return chunks
    raise ImageUnreadable("The PNG file is built of far more parts than a picture needs.")


class OpenedPng:
    """A PNG file with parsed chunks."""

    def __init__(self, data: bytes) -> None:
        self._chunks = _parse(data)
        width, height, self.depth, self.color_type, method, filters, interlace = struct.unpack(
            ">IIBBBBB", self._chunks.header
        )
        if self.depth not in _DEPTHS.get(self.color_type, ()) or method or filters or interlace > 1:
            raise ValueError("header")
        if not width or not height:
            raise ValueError("no pixels")
        if not self._chunks.pixels:
            raise EOFError
        if self.color_type == _PALETTE and not self._chunks.found.get(b"PLTE"):
            raise ValueError("no palette")
        self.is_interlaced = interlace == 1
        found = self._chunks.found
        tags = exif.parse(found.get(b"eXIf"))
        turn = exif.orientation(tags)
        resolution = _physical(found.get(b"pHYs", b"")) or exif.resolution(tags)
        self.header = Header(width, height, turn, turn, resolution, self._notes(), found.get(b"eXIf", b""))
        self._is_sound = True

    def _notes(self) -> tuple[str, ...]:
        notes: tuple[str, ...] = ()
        frames = self._chunks.found.get(b"acTL", b"")
        if len(frames) == 8 and (count := int.from_bytes(frames[:4], "big")) > 1:
            notes += (f"animated: first of {count} frames used",)
        if self._chunks.cut:
            notes += (DAMAGED_END,)
        return (*notes, DAMAGED_SUM) if self._chunks.wrong_sum else notes

    def prove(self) -> None:
        """Decompress the pixels and check each row's filter byte, without keeping the pixels.

        Raise EOFError if pixels are missing, and ValueError or zlib's error for other damage.
        """
        rows = self._row_lengths()
        left, at_filter = next(rows), True
        for piece in self._inflated():
            values = np.frombuffer(piece, np.uint8)
            place = 0
            while place < len(values):
                if at_filter and values[place] > 4:
                    raise ValueError("filter")
                step = min(left, len(values) - place)
                place, left, at_filter = place + step, left - step, False
                if not left:
                    left, at_filter = next(rows, 0), True
                    if not left:
                        return

    def samples(self) -> Samples:
        clean = self._clean_file()
        if self.depth == 16:
            pixels = imagecodecs.png_decode(clean)
        else:
            with Image.open(io.BytesIO(clean), formats=("PNG",)) as image:
                image.load()
                pixels = np.asarray(image.convert("L") if image.mode == "1" else image)
        if pixels.shape[:2] != (self.header.height, self.header.width):
            raise ValueError("size")
        pixels, alpha = self._split(pixels)
        is_gray = pixels.ndim == 2
        profile, encoding, notes = self._colors()
        if self.depth == 16 and profile is None and encoding is not None and not encoding.hdr:
            # Browsers reduce to 8 bits before they convert such colours; the difference is visible in dark tones.
            pixels, alpha = (pixels >> 8).astype(np.uint8), None if alpha is None else (alpha >> 8).astype(np.uint8)
        if self.depth == 16:
            notes = (f"depth: 16-bit {'gray' if is_gray else 'colour'} scaled to 8 bits", *notes)
        return Samples(pixels, "gray" if is_gray else "rgb", alpha, profile, encoding, notes)

    def _split(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return colours and alpha, after the palette and the transparent colour were applied.

        The alpha is None if the picture is opaque.
        """
        key = self._chunks.found.get(b"tRNS", b"")
        if self.color_type == _PALETTE:
            palette = np.zeros((256, 3), np.uint8)
            given = np.frombuffer(self._chunks.found[b"PLTE"][: 256 * 3], np.uint8)
            given = given[: len(given) // 3 * 3].reshape(-1, 3)
            palette[: len(given)] = given
            levels = np.full(256, 255, np.uint8)
            levels[: len(key[:256])] = np.frombuffer(key[:256], np.uint8)
            return palette[pixels], levels[pixels] if key else None
        if self.color_type in (4, 6):
            colors = pixels[..., 0] if self.color_type == 4 else pixels[..., :3]
            return np.ascontiguousarray(colors), np.ascontiguousarray(pixels[..., -1])
        count = 1 if self.color_type == _GRAY else 3
        if len(key) < 2 * count:
            return pixels, None
        most = 2**self.depth - 1
        scale = 255 // most if self.depth < 8 else 1  # how the decoder scales 1, 2 and 4 bits
        values = np.array([(value & most) * scale for value in struct.unpack_from(f">{count}H", key)], np.uint16)
        is_key = pixels == values[0] if count == 1 else (pixels == values).all(-1)
        return pixels, np.where(is_key, 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)

    def _colors(self) -> tuple[bytes | None, Encoding | None, tuple[str, ...]]:
        """Return the ICC profile, the encoding, and notes.

        They are read from the first of these chunks that the file contains and that is valid: cICP, iCCP, sRGB, gAMA
        with cHRM. As in browsers, a cICP is not valid if its code points are unknown, unspecified or of narrow range.
        """
        found = self._chunks.found
        points = found.get(b"cICP", b"")
        if len(points) == 4 and points[2:] == _RGB_OF_FULL_RANGE and are_known(points[0], points[1]):
            return None, from_code_points(points[0], points[1], still=True), ()
        notes: tuple[str, ...] = ()
        profile = None
        if b"iCCP" in found:
            profile, why = _profile(found[b"iCCP"])
            notes = () if profile else (why,)
        # If the profile turns out to be unusable, the encoding applies.
        return profile, None if b"sRGB" in found else _gamma(found), notes

    def _row_lengths(self) -> Iterator[int]:
        """Yield the number of bytes of each stored row, including its filter byte."""
        bits = self.depth * _CHANNELS[self.color_type]
        passes = _ADAM7 if self.is_interlaced else ((0, 0, 1, 1),)
        for left, top, across, down in passes:
            columns = -(-(self.header.width - left) // across)
            rows = -(-(self.header.height - top) // down)
            for _ in range(rows if columns > 0 else 0):
                yield 1 + (columns * bits + 7) // 8

    def _inflated(self) -> Iterator[bytes]:
        """Yield the decompressed bytes of all rows. Raise EOFError if bytes are missing.

        Afterwards `_is_sound` tells whether the stream ends after the last row with a correct checksum.
        """
        expected, total = sum(self._row_lengths()), 0
        sum_so_far, packed = 1, b"".join(self._chunks.pixels)
        if len(packed) < 2 or packed[0] & 0x0F != 8 or (packed[0] << 8 | packed[1]) % 31 or packed[1] & 0x20:
            raise ValueError("zlib")
        inflater = isal_zlib.decompressobj(-15)
        piece = inflater.decompress(memoryview(packed)[2:], _PIECE_BYTES)
        while piece and total < expected:
            sum_so_far = zlib.adler32(piece, sum_so_far)
            total += len(piece)
            yield piece if total <= expected else piece[: expected - total]
            piece = b"" if inflater.eof else inflater.decompress(inflater.unconsumed_tail, _PIECE_BYTES)
        if total < expected:
            raise EOFError
        self._is_sound = (
            total == expected and inflater.eof and inflater.unused_data[:4] == sum_so_far.to_bytes(4, "big")
        )

    def _clean_file(self) -> bytes:
        """Return a PNG of only critical chunks with correct checksums; a damaged pixel stream is compressed again."""
        for _ in self._inflated():  # sets _is_sound
            pass
        packed = b"".join(self._chunks.pixels) if self._is_sound else zlib.compress(b"".join(self._inflated()), 1)
        palette = self._chunks.found.get(b"PLTE", b"") if self.color_type == _PALETTE else b""
        parts = [SIGNATURE, _chunk(b"IHDR", self._chunks.header)]
        if palette:
            parts.append(_chunk(b"PLTE", palette[: min(256, len(palette) // 3) * 3]))
        return b"".join([*parts, _chunk(b"IDAT", packed), _chunk(b"IEND", b"")])


def _chunk(kind: bytes, body: bytes) -> bytes:
    return b"".join([struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))])


def _physical(body: bytes) -> tuple[float, float] | None:
    if len(body) != 9 or body[8] != 1:
        return None
    return exif.plausible(*struct.unpack(">II", body[:8]), unit="m")


def _profile(body: bytes) -> tuple[bytes | None, str]:
    """Return the decompressed ICC profile and a note; the profile is None if it is broken or too large.

    The note says why the profile is None. The largest size is MAX_PROFILE_BYTES.
    """
    name, _, packed = body.partition(b"\0")
    if not 0 < len(name) < 80 or len(packed) < 2 or packed[0]:
        return None, "icc: broken profile ignored"
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(packed[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return None, "icc: broken profile ignored"
    if inflater.unconsumed_tail:
        return None, "icc: oversized profile ignored"
    return profile or None, "icc: broken profile ignored"


def _gamma(found: dict[bytes, bytes]) -> Encoding | None:
    """Return the encoding that the chunks gAMA and cHRM describe, or None for sRGB.

    A chunk cHRM without a chunk gAMA is ignored.
    """
    body = found.get(b"gAMA", b"")
    value = int.from_bytes(body, "big") / 100_000 if len(body) == 4 else 0
    if not value:
        return None
    points = found.get(b"cHRM", b"")
    if len(points) != 32:
        return None if abs(value * 2.2 - 1) < _NEARLY_SRGB_GAMMA else Encoding("power", gamma=1 / value, source="gamma")
    white_x, white_y, *primaries = (number / 100_000 for number in struct.unpack(">8I", points))
    return Encoding("power", (*primaries, white_x, white_y), gamma=1 / value, source="gamma")
