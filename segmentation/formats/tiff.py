"""Reader of TIFF (revision 6.0, its supplements, and BigTIFF): the first page that is not a reduced copy.

`tifffile` parses the directories and decodes each strip or tile, with the codecs of `imagecodecs`. This module uses the
tags to check whether it supports a page. For other kinds of page it raises an error that names the kind. Without this
check, the result could be a wrong picture.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile

from segmentation.encoding import Encoding
from segmentation.errors import ImageUnreadable
from segmentation.formats import exif
from segmentation.formats.camera_raw import is_camera_raw, refusal
from segmentation.formats.opened import Header, Model, Samples, divided, widened, without_range

MAX_PAGES = 64
MAX_SEGMENTS = 65_536

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _SEPARATED, _YCBCR, _CIELAB, _ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
_CHANNELS = {
    _WHITE_IS_ZERO: 1,
    _BLACK_IS_ZERO: 1,
    _RGB: 3,
    _PALETTE: 1,
    _SEPARATED: 4,
    _YCBCR: 3,
    _CIELAB: 3,
    _ICCLAB: 3,
}
_NAMES = {4: "transparency mask", 10: "ITU Lab", 32844: "LogL", 32845: "LogLuv"}
_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000}
_COMPRESSION_NAMES = {
    6: "old-style JPEG", 33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000", 34887: "LERC", 50001: "WebP",
    50002: "JPEG XL", 52546: "JPEG XL", 34661: "JBIG", 32809: "ThunderScan", 34676: "SGI LogLuv",
}  # fmt: skip
_JPEG = 7
_FAX = (2, 3, 4)
_UNASSOCIATED, _ASSOCIATED = 2, 1

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it would log each deviation from the standard


class OpenedTiff:
    """A TIFF file, with the page that will be decoded. The page is of a supported kind."""

    def __init__(self, data: bytes) -> None:
        if is_camera_raw(data):
            raise refusal(data)
        self._data = data
        self._file = tifffile.TiffFile(io.BytesIO(data))
        pages = list(_pages(self._file))
        self._page, notes = _choose(pages)
        self._check()
        page = self._page
        turn = exif.orientation({0x0112: _number(page, 274, 1)})
        tags = {0x011A: _ratio(page, 282), 0x011B: _ratio(page, 283), 0x0128: _number(page, 296, 2)}
        self.header = Header(page.imagewidth, page.imagelength, turn, turn, exif.resolution(tags), notes, data)

    def _check(self) -> None:
        """Raise ImageUnreadable for an unsupported kind of page, and EOFError if pixels are missing from the file."""
        page = self._page
        if page.imagewidth < 1 or page.imagelength < 1:
            raise ValueError("no pixels")
        self._photometric = _photometric(page)
        _check_samples(page)
        if self._photometric not in _CHANNELS:
            name = _NAMES.get(self._photometric, f"photometric interpretation {self._photometric}")
            raise _unsupported(f"has the colour model {name}")
        if page.compression not in _COMPRESSIONS:
            name = _COMPRESSION_NAMES.get(page.compression, f"method {int(page.compression)}")
            raise _unsupported(f"is compressed with {name}")
        self._base = _CHANNELS[self._photometric]
        if page.samplesperpixel < self._base:
            raise ValueError("channels")
        self._alpha = _alpha_place(page, self._base)
        if self._photometric == _SEPARATED:
            if _number(page, 332, 1) != 1:
                raise _unsupported("has inks other than CMYK")
            if self._alpha is not None:
                raise _unsupported("has CMYK colours with transparency")
        if self._photometric == _YCBCR and page.compression != _JPEG:
            raise _unsupported("has YCbCr colours without JPEG compression")
        if page.compression == _JPEG and (page.bitspersample != 8 or page.planarconfig != 1):
            raise _unsupported("is compressed with JPEG of more than 8 bits or in planes")
        self._check_segments()

    def _check_segments(self) -> None:
        """Raise EOFError if a strip or tile lies outside the file, and ImageUnreadable if there are too many."""
        page = self._page
        if page.is_tiled:
            expected = -(-page.imagewidth // max(page.tilewidth, 1)) * -(-page.imagelength // max(page.tilelength, 1))
            area = page.tilewidth * page.tilelength
            if area > max(4 * page.imagewidth * page.imagelength, 1 << 22):
                raise ValueError("tile")
        else:
            expected = -(-page.imagelength // max(min(page.rowsperstrip, page.imagelength), 1))
        expected *= page.samplesperpixel if page.planarconfig == 2 else 1
        if expected > MAX_SEGMENTS:
            raise ImageUnreadable("The TIFF file is built of far more parts than a picture needs.")
        if len(page.dataoffsets) < expected or len(page.databytecounts) < expected:
            raise EOFError
        self._places = []
        for index, offset in enumerate(page.dataoffsets[:expected]):
            count = page.databytecounts[index]
            if page.compression == 1 and (count <= 0 or offset + count > len(self._data)):
                count = _plain_bytes(page, index)  # a wrong length does no harm where the right one is known
            if offset <= 0 or count <= 0 or offset + count > len(self._data):
                raise EOFError
            self._places.append(slice(offset, offset + count))

    def prove(self) -> None:
        for _ in self._decoded():
            pass

    def samples(self) -> Samples:
        page = self._page
        planes = page.samplesperpixel if page.planarconfig == 2 else 1
        pixels = np.zeros((page.imagelength, page.imagewidth, page.samplesperpixel), page.dtype)
        for part, (plane, top, left) in self._decoded():
            height, width = min(part.shape[0], page.imagelength - top), min(part.shape[1], page.imagewidth - left)
            target = slice(plane, plane + 1) if planes > 1 else slice(None)
            pixels[top : top + height, left : left + width, target] = part[:height, :width]
        return self._split(pixels)

    def _decoded(self) -> Iterator[tuple[np.ndarray, tuple[int, int, int]]]:
        """Yield each decoded strip or tile, (h, w, channels), and its place: plane, top row and left column."""
        page = self._page
        tables = page.jpegtables if page.compression == _JPEG else None
        for index, place in enumerate(self._places):
            part, corner, _ = page.decode(self._data[place], index, jpegtables=tables)
            if part is None or part.ndim != 4 or part.shape[0] != 1:
                raise ValueError("segment")
            yield part[0], (corner[0], corner[2], corner[3])

    def _split(self, pixels: np.ndarray) -> Samples:
        """Convert samples of the file's bit depth to 8 or 16 bits, and return colours and alpha."""
        page, bits = self._page, self._page.bitspersample
        profile, encoding = _colors(page)
        notes: tuple[str, ...] = ()
        if self._photometric == _PALETTE:
            return Samples(_from_palette(page, pixels[..., 0]), "rgb", self._alpha_of(pixels), profile, encoding)
        if bits > 8:
            notes = (f"depth: {bits}-bit {'gray' if self._base == 1 else 'colour'} scaled to 8 bits",)
        if bits not in (8, 16):
            pixels = widened(pixels, bits)
        colors, alpha = pixels[..., : self._base], self._alpha_of(pixels)
        colors = np.ascontiguousarray(colors[..., 0] if self._base == 1 else colors)
        if alpha is not None and self._alpha_kind == _ASSOCIATED:
            colors = divided(colors, alpha)
        if self._photometric == _WHITE_IS_ZERO:
            colors = np.iinfo(colors.dtype).max - colors
        if self._photometric == _CIELAB:
            colors = colors.copy()
            colors[..., 1:] ^= 1 << (bits - 1)  # signed a and b, converted to an offset of half the range
        models: dict[int, Model] = {_SEPARATED: "cmyk", _CIELAB: "lab", _ICCLAB: "lab"}
        model: Model = models.get(self._photometric, "gray" if self._base == 1 else "rgb")
        return Samples(colors, model, alpha, profile, encoding, notes)

    @property
    def _alpha_kind(self) -> int:
        return _extra_kinds(self._page)[self._alpha - self._base] if self._alpha is not None else 0

    def _alpha_of(self, pixels: np.ndarray) -> np.ndarray | None:
        return None if self._alpha is None else np.ascontiguousarray(pixels[..., self._alpha])


def _pages(file: tifffile.TiffFile) -> Iterator[tifffile.TiffPage]:
    """Yield at most MAX_PAGES pages of the file, each one followed by the pages of its sub-directories."""
    left = MAX_PAGES
    for index in range(MAX_PAGES):
        try:
            page = file.pages[index]
        except IndexError:
            return
        except Exception:  # a broken directory after valid ones
            if index == 0:
                raise
            return
        yield page  # type: ignore[misc]
        for number in range(min(len(page.subifds or ()), left)):
            left -= 1
            try:
                yield page.pages[number]  # type: ignore[index, misc]
            except Exception:  # a broken sub-directory; it contains no page that could be shown
                break


def _choose(pages: list[tifffile.TiffPage]) -> tuple[tifffile.TiffPage, tuple[str, ...]]:
    """Return the first page that is neither a reduced copy nor a mask, and notes for the result.

    If all pages are reduced copies or masks, return the largest page.
    """
    full = [page for page in pages if not _is_reduced(page)]
    if not full:
        return max(pages, key=lambda page: page.imagewidth * page.imagelength), ()
    if full[0] is not pages[0]:
        return full[0], ("multi-page: the first page is a reduced copy, the full picture is used",)
    return full[0], ("multi-page: first page used",) if len(full) > 1 else ()


def _is_reduced(page: tifffile.TiffPage) -> bool:
    kinds, old_kind = _number(page, 254, 0), _number(page, 255, 1)
    return bool(kinds & 0b101) or old_kind == 2


def _check_samples(page: tifffile.TiffPage) -> None:
    """Raise ImageUnreadable for samples without a fixed range, and for channels with different bit depths."""
    bits = page.bitspersample
    if not isinstance(bits, int):
        raise _unsupported("has channels of unequal depths")
    formats = page.tags.valueof(339, 1)
    formats = set(formats) if isinstance(formats, tuple) else {formats}
    if 3 in formats:
        raise without_range("floating-point")
    if formats - {1, 4}:
        raise without_range("signed or complex")
    if bits > 16:
        raise without_range(f"{bits}-bit")
    if page.dtype is None or page.dtype.kind not in "ub" or page.imagedepth != 1:
        raise _unsupported("has an unusual kind of samples")


def _photometric(page: tifffile.TiffPage) -> int:
    """Return the colour model. If the file does not state it, assume that of most files, as libtiff does."""
    if page.tags.valueof(262) is None:
        return _WHITE_IS_ZERO if page.compression in _FAX else _RGB if page.samplesperpixel >= 3 else _BLACK_IS_ZERO
    return _number(page, 262, -1)


def _unsupported(what: str) -> ImageUnreadable:
    return ImageUnreadable(f"The TIFF {what}, which is not supported. Save it as an 8-bit RGB TIFF, PNG or JPEG.")


def _plain_bytes(page: tifffile.TiffPage, index: int) -> int:
    """Return the length of an uncompressed strip or tile."""
    channels = 1 if page.planarconfig == 2 else page.samplesperpixel
    if page.is_tiled:
        return page.tilelength * (-(-page.tilewidth * channels * page.bitspersample // 8))
    per_plane = -(-page.imagelength // max(page.rowsperstrip, 1))
    rows = min(page.rowsperstrip, page.imagelength - index % per_plane * page.rowsperstrip)
    return rows * -(-page.imagewidth * channels * page.bitspersample // 8)


def _extra_kinds(page: tifffile.TiffPage) -> tuple[int, ...]:
    """Return the meaning of each channel after the colour channels.

    0 is unspecified, 1 is an alpha by which the colours are premultiplied, 2 is an alpha without premultiplied colours.
    """
    base = _CHANNELS.get(_photometric(page), 0)
    kinds = tuple(int(kind) for kind in page.extrasamples)
    count = page.samplesperpixel - base
    if not kinds and count == 1:
        kinds = (_UNASSOCIATED,)  # RGB with four channels whose writer did not state what the fourth one is
    return (kinds + (0,) * count)[:count]


def _alpha_place(page: tifffile.TiffPage, base: int) -> int | None:
    kinds = _extra_kinds(page)
    return next((base + index for index, kind in enumerate(kinds) if kind in (_ASSOCIATED, _UNASSOCIATED)), None)


def _from_palette(page: tifffile.TiffPage, indexes: np.ndarray) -> np.ndarray:
    """Return the colours, (H, W, 3) uint8, of (H, W) indexes into the page's ColorMap.

    The levels of a ColorMap should have 16 bits, but some files contain 8-bit levels.
    """
    table = page.colormap
    if table is None or table.ndim != 2 or table.shape[0] != 3:
        raise ValueError("palette")
    levels = table if table.max() < 256 else table >> 8
    size = 1 << page.bitspersample
    padded = np.zeros((size, 3), np.uint8)
    padded[: min(size, table.shape[1])] = levels.T[:size]
    return padded[indexes]


def _colors(page: tifffile.TiffPage) -> tuple[bytes | None, Encoding | None]:
    """Return the ICC profile and the encoding of a page; one or both are None.

    If the page has no profile, the encoding is read from the tags WhitePoint, PrimaryChromaticities and
    TransferFunction.
    """
    profile = page.tags.valueof(34675)
    if isinstance(profile, bytes) and profile:
        return profile, None
    white, primaries = _ratios(page, 318, 2), _ratios(page, 319, 6)
    if not white or not primaries:
        return None, None
    points: Any = (*primaries, *white)
    curves = page.tags.valueof(301)
    length = 1 << page.bitspersample
    if isinstance(curves, tuple | np.ndarray) and len(curves) in (length, 3 * length) and page.bitspersample >= 8:
        lines = (np.asarray(curves, float) / 65535).reshape(-1, length)
        tables = tuple(tuple(line.tolist()) for line in (lines if len(lines) == 3 else [lines[0]] * 3))
        return None, Encoding("table", points, tables=tables, source="calibrated")
    return None, Encoding("power", points, gamma=2.2, source="calibrated")  # the default gamma of TIFF 6.0, section 20


def _number(page: tifffile.TiffPage, tag: int, default: int) -> int:
    value = page.tags.valueof(tag, default)
    value = value[0] if isinstance(value, tuple) and value else value
    return int(value) if isinstance(value, int | np.integer) else default


def _ratio(page: tifffile.TiffPage, tag: int) -> float:
    return (_ratios(page, tag, 1) or (0.0,))[0]


def _ratios(page: tifffile.TiffPage, tag: int, count: int) -> tuple[float, ...] | None:
    value = page.tags.valueof(tag)
    if not isinstance(value, tuple) or len(value) != 2 * count:
        return None
    pairs = [(value[index], value[index + 1]) for index in range(0, 2 * count, 2)]
    return tuple(up / down if down else 0.0 for up, down in pairs)
