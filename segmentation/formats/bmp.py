"""Reader of BMP (DIB headers of OS/2 and of Windows up to version 5), including an ICC profile after the pixels.

The pixels are decoded here, because the usual decoders support only the common masks of the channels, and no skipped
pixels in run-length encoded files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from segmentation.errors import ImageUnreadable
from segmentation.formats import bmp_runs, exif
from segmentation.formats.opened import DAMAGED_END, Header, Samples

_HEADER_BYTES = (12, 16, 40, 52, 56, 64, 108, 124)
_CORE, _OS2 = 12, (16, 64)
_PLAIN, _RUNS_8, _RUNS_4, _MASKS, _MASKS_WITH_ALPHA = 0, 1, 2, 3, 6
_BITS = {_PLAIN: (1, 2, 4, 8, 16, 24, 32), _RUNS_8: (8,), _RUNS_4: (4,), _MASKS: (16, 32), _MASKS_WITH_ALPHA: (16, 32)}
_OTHER_PACKINGS = {4: "a JPEG", 5: "a PNG", 11: "CMYK colours", 12: "CMYK colours", 13: "CMYK colours"}
_PLAIN_MASKS = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_CALIBRATED, _SRGB, _EMBEDDED_PROFILE = 0, *(int.from_bytes(name, "big") for name in (b"sRGB", b"MBED"))
_V4_BYTES, _V5_BYTES = 108, 124
_STRIP_PIXELS = 1 << 20  # limits the memory of the conversion


class OpenedBmp:
    """A BMP file with a parsed header."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._start, self._header_bytes = struct.unpack_from("<I", data, 10)[0], struct.unpack_from("<I", data, 14)[0]
        if self._header_bytes not in _HEADER_BYTES:
            raise ValueError("header")
        resolution, self._packing, used = None, _PLAIN, 0
        if self._header_bytes >= 40:
            self._width, height, _, self._bits, self._packing, _, across, down, used = struct.unpack_from(
                "<iiHHIIiiI", data, 18
            )
            resolution = exif.plausible(across, down, unit="m")
        else:
            sides = "<HHHH" if self._header_bytes == _CORE else "<iiHH"
            self._width, height, _, self._bits = struct.unpack_from(sides, data, 18)
        self._check_supported()
        self._height, self._is_upside_down = abs(height), height > 0
        if self._width < 1 or not height or (self._is_run_length_encoded and not self._is_upside_down):
            raise ValueError("size")
        palette_start = 14 + self._header_bytes
        if self._header_bytes == 40 and self._packing in (_MASKS, _MASKS_WITH_ALPHA):
            palette_start += 12 if self._packing == _MASKS else 16
        self._palette, palette_end = self._read_palette(palette_start, used)
        self._start = self._start or palette_end
        notes = self._check_rows()
        self.header = Header(self._width, self._height, resolution=resolution, notes=notes)

    @property
    def _is_run_length_encoded(self) -> bool:
        return self._packing in (_RUNS_8, _RUNS_4)

    def _check_supported(self) -> None:
        if self._packing in _OTHER_PACKINGS and self._header_bytes not in _OS2:
            raise ImageUnreadable(f"The BMP holds {_OTHER_PACKINGS[self._packing]}, which is not supported.")
        if self._header_bytes in _OS2 and self._packing in (_MASKS, 4):
            raise ImageUnreadable("The BMP has a compression of OS/2, which is not supported.")
        if self._packing == _PLAIN and self._bits == 64:
            raise ImageUnreadable("The BMP has 64 bits a pixel, which is not supported.")
        if self._bits not in _BITS.get(self._packing, ()):
            raise ValueError("bits")

    def _read_palette(self, start: int, used: int) -> tuple[np.ndarray, int]:
        """Return the palette, (256, 3) uint8 RGB, and its end in the file. Colours that are not given are black."""
        palette = np.zeros((256, 3), np.uint8)
        entry = 3 if self._header_bytes == _CORE else 4
        count = (used or 1 << self._bits) if self._bits <= 8 else used
        end = min(start + entry * count, len(self._data))
        if self._start:
            end = max(start, min(end, self._start))
        if self._bits <= 8:
            given = np.frombuffer(self._data, np.uint8, (end - start) // entry * entry, start).reshape(-1, entry)[:256]
            palette[: len(given)] = given[:, 2::-1]
        return palette, end

    def _check_rows(self) -> tuple[str, ...]:
        """Fill up the rows if only their end is missing, and return the note. Raise EOFError if pixels are missing."""
        row_bytes = (self._width * self._bits + 7) // 8
        self._stride = (row_bytes + 3) // 4 * 4
        if self._is_run_length_encoded:
            return ()
        missing = self._start + self._stride * self._height - len(self._data)
        if missing <= 0:
            return ()
        if missing > max(self._stride - row_bytes, 3):  # the padding of the last row, or one pixel of it
            raise EOFError
        self._data += bytes(missing)
        return (DAMAGED_END,)

    def prove(self) -> None:
        if self._is_run_length_encoded:
            bmp_runs.decoded(self._data[self._start :], self._width, self._height, self._bits)

    def samples(self) -> Samples:
        profile = self._profile()
        notes = ("calibrated: colours of the header ignored",) if self._is_calibrated() else ()
        skipped = None
        if self._is_run_length_encoded:
            runs = bmp_runs.decoded(self._data[self._start :], self._width, self._height, self._bits)
            indexes, skipped = self._upright(runs.indexes), runs.skipped
            notes = notes if runs.is_whole else (*notes, DAMAGED_END)
        elif self._bits <= 8:
            indexes = self._upright(_unpacked(self._rows(), self._bits, self._width))
        else:
            rgba = self._upright(self._direct())
            alpha = np.ascontiguousarray(rgba[..., 3]) if rgba.shape[2] == 4 and rgba[..., 3].any() else None
            return Samples(np.ascontiguousarray(rgba[..., :3]), "rgb", alpha, profile, notes=notes)
        is_gray = bool((self._palette[:, :1] == self._palette).all())
        colors = self._palette[:, 0].take(indexes) if is_gray else self._palette.take(indexes, axis=0)
        if skipped is not None:
            colors[self._upright(skipped)] = 0  # opaque black, as in browsers
        return Samples(colors, "gray" if is_gray else "rgb", None, profile, notes=notes)

    def _upright(self, rows: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(rows[::-1] if self._is_upside_down else rows)

    def _rows(self) -> np.ndarray:
        """Return the stored rows, (H, stride) uint8."""
        stored = np.frombuffer(self._data, np.uint8, self._stride * self._height, self._start)
        return stored.reshape(self._height, self._stride)

    def _direct(self) -> np.ndarray:
        """Return the pixels of a file without palette, (H, W, 3 or 4) uint8, in the order of the stored rows."""
        if self._bits == 24:
            return self._rows()[:, : 3 * self._width].reshape(self._height, self._width, 3)[..., ::-1]
        kind = f"<u{self._bits // 8}"
        pixels = self._rows()[:, : self._width * self._bits // 8].view(kind)
        channels = [_Channel(mask, self._bits) for mask in self._masks()]
        result = np.zeros((self._height, self._width, len(channels)), np.uint8)
        for rows in _strips(self._height, self._width):
            for index, channel in enumerate(channels):
                result[rows, :, index] = channel.values(pixels[rows])
        return result

    def _masks(self) -> tuple[int, ...]:
        """Return the masks of red, green, blue, and of alpha if there is one. Raise ValueError if masks overlap."""
        if self._packing == _PLAIN:
            masks = _PLAIN_MASKS[self._bits]
            if self._bits == 32 and self._header_bytes >= _V4_BYTES and self._alpha_mask():
                masks = (*masks[:3], 0xFF000000)  # as in browsers, whatever the masks are
        else:
            has_alpha = self._packing == _MASKS_WITH_ALPHA or self._header_bytes >= 56
            masks = (*struct.unpack_from("<3I", self._data, 54), 0)
            if has_alpha:
                masks = (*masks[:3], self._alpha_mask())
        if sum(masks) != masks[0] | masks[1] | masks[2] | masks[3] or not any(masks[:3]):
            raise ValueError("masks")
        return masks if masks[3] else masks[:3]

    def _alpha_mask(self) -> int:
        return int(struct.unpack_from("<I", self._data, 66)[0])

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


class _Channel:
    """One channel of pixels of 16 or 32 bits. mask: its bits, which must be adjacent; 0 for a channel of zeros."""

    def __init__(self, mask: int, bits: int) -> None:
        self._mask = mask & (1 << bits) - 1
        self._shift = (self._mask & -self._mask).bit_length() - 1 if self._mask else 0
        most = self._mask >> self._shift
        if most & (most + 1):
            raise ValueError("mask")
        self._narrowing = max(most.bit_length() - 16, 0)
        most >>= self._narrowing
        levels = np.arange(most + 1, dtype=np.uint64)
        self._table = ((levels * 255 + most // 2) // max(most, 1)).astype(np.uint8)

    def values(self, pixels: np.ndarray) -> np.ndarray:
        """Return the channel of stored pixels, scaled to uint8."""
        return self._table.take((pixels & pixels.dtype.type(self._mask)) >> (self._shift + self._narrowing))


def _strips(height: int, width: int) -> Iterator[slice]:
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, top + rows)


def _unpacked(rows: np.ndarray, bits: int, width: int) -> np.ndarray:
    """Return the indexes, (H, width) uint8, of rows with 1 to 8 bits a pixel."""
    per_byte = 8 // bits
    rows = rows[:, : -(-width // per_byte)]
    if bits == 8:
        return rows
    if bits == 1:
        return np.unpackbits(rows, axis=1)[:, :width]
    parts = [rows >> (8 - bits * (place + 1)) & (1 << bits) - 1 for place in range(per_byte)]
    return np.stack(parts, -1).reshape(len(rows), -1)[:, :width]
