"""The rows for TIFF in the table of docs/formats.md."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import numpy as np
import tifffile
from PIL import Image

from tests.segmentation.formats import build
from tests.segmentation.formats.build import ball, deep, fading, saved, small, tiff
from tests.segmentation.formats.rows.row import (
    AS_SRGB,
    DEEP_COLOR,
    DEEP_GRAY,
    EIGHT,
    RED,
    TO_EIGHT,
    File,
    Row,
    animated,
    gray,
    numbers_of,
    one_color,
    shown,
    swapped,
    three,
)

_LAYOUTS: tuple[dict[str, object], ...] = ({"rowsperstrip": 7}, {"tile": (16, 32)}, {"byteorder": ">", "bigtiff": True})
_PACKINGS = (None, "lzw", "zlib", "packbits", "zstd", "lzma")


def _tiffs(pixels: np.ndarray, rgb: np.ndarray, alpha: np.ndarray | None = None, **options: object) -> Iterator[File]:
    """Yield TIFF files with these pixels in all layouts, plane configurations and compressions."""
    for plane in ("contig", "separate") if pixels.ndim == 3 else (None,):
        stored = np.moveaxis(pixels, -1, 0) if plane == "separate" else pixels
        for layout in _LAYOUTS:
            for packing in _PACKINGS:
                yield File(tiff(stored, compression=packing, planarconfig=plane, **layout, **options), rgb, alpha)
        data = tiff(stored, compression="zlib", predictor=True, planarconfig=plane, **options)
        yield File(data, rgb, alpha)


def _tiff_gray() -> Iterator[File]:
    yield from _tiffs(gray(), three(gray()), photometric="minisblack")
    yield from _tiffs(255 - gray(), three(gray()), photometric="miniswhite")
    for bits in (2, 4):
        yield File(tiff(numbers_of(bits), bitspersample=bits, photometric="minisblack"), shown(numbers_of(bits), bits))


def _tiff_bilevel() -> Iterator[File]:
    bits = gray() > 128
    for packing in (None, "lzw", "zlib", "packbits"):
        yield File(tiff(bits, photometric="minisblack", compression=packing), three(bits * np.uint8(255)))
    image = Image.fromarray(bits)
    for packing in ("group3", "group4", "tiff_ccitt"):
        yield File(saved(image, "TIFF", compression=packing), three(bits * np.uint8(255)))


def _tiff_alphas() -> Iterator[File]:
    for extra in ("unassalpha", "assocalpha"):
        shares = fading()[..., None] / 255 if extra == "assocalpha" else 1
        colors = np.rint(small() * shares).astype(np.uint8)
        expected = small() if extra == "unassalpha" else None
        pixels = np.dstack([colors, fading()])
        if expected is None:
            share = np.maximum(fading()[..., None].astype(float), 1)
            expected = np.rint(np.minimum(colors.astype(float) * 255 / share, 255)).astype(np.uint8)
        yield from _tiffs(pixels, expected, fading(), photometric="rgb", extrasamples=[extra])


def _tiff_palette() -> Iterator[File]:
    table = np.stack([np.arange(256) * 257, np.arange(256)[::-1] * 257, np.full(256, 99 * 257)]).astype(np.uint16)
    yield File(tiff(gray(), photometric="palette", colormap=table), (table >> 8).T.astype(np.uint8)[gray()])
    wide = np.stack([np.arange(65536), np.arange(65536)[::-1], np.full(65536, 99 * 257)]).astype(np.uint16)
    numbers = deep(gray()) ^ 0x00FF
    yield File(tiff(numbers, photometric="palette", colormap=wide), (wide >> 8).T.astype(np.uint8)[numbers])


def _tiff_cmyk() -> Iterator[File]:
    image = Image.fromarray(small()).convert("CMYK")
    expected = np.asarray(image.convert("RGB"))
    yield from _tiffs(np.asarray(image), expected, photometric="separated")


def _tiff_jpeg() -> Iterator[File]:
    for options in ({"photometric": "ycbcr"}, {"photometric": "rgb"}, {"photometric": "ycbcr", "tile": (64, 64)}):
        data = tiff(ball(), compression="jpeg", compressionargs={"level": 95}, **options)
        yield File(data, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), tolerance=6)


def _tiff_pages() -> Iterator[File]:
    stream = io.BytesIO()

    with tifffile.TiffWriter(stream) as file:
        file.write(ball(80, 60), metadata=None, photometric="rgb", subfiletype=1)
        file.write(ball(), metadata=None, photometric="rgb")
    yield File(stream.getvalue(), ball())
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as file:
        file.write(ball(80, 60), metadata=None, photometric="rgb", subfiletype=1, subifds=1)
        file.write(ball(), metadata=None, photometric="rgb", subfiletype=0)
    yield File(stream.getvalue(), ball())


def _tiff_tags(*tags: tuple[int, int, int, object, bool]) -> bytes:
    return tiff(ball(), photometric="rgb", extratags=tags)


def _tiff_odd() -> Iterator[File]:
    """Yield TIFFs with a missing colour model, and with wrong lengths of uncompressed strips or tiles."""
    plain = tiff(small(), photometric="rgb")
    yield File(_changed(plain, 262, kind=65_000), small())
    yield File(_changed(tiff(gray(), photometric="minisblack"), 262, kind=65_000), three(gray()))
    for value in (0, 10_000_000):
        yield File(_changed(plain, 279, value=value), small())
    yield File(_changed(tiff(small(), photometric="rgb", tile=(128, 128)), 325, value=0), small())


def _changed(data: bytes, tag: int, *, kind: int | None = None, value: int | None = None) -> bytes:
    """Return a small-endian TIFF with another number or value of one tag of its first directory."""
    place = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[place : place + 2], "little")
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        if int.from_bytes(data[entry : entry + 2], "little") == tag:
            if kind is not None:
                data = data[:entry] + kind.to_bytes(2, "little") + data[entry + 2 :]
            if value is not None:
                data = data[: entry + 2] + struct.pack("<HII", 4, 1, value) + data[entry + 12 :]
    return data


_P3_TAGS = (
    (318, 5, 2, (31270, 100_000, 32900, 100_000), True),
    (319, 5, 6, (68, 100, 32, 100, 265, 1000, 69, 100, 15, 100, 6, 100), True),
)

TIFF = [
    Row("TIFF", "gray of 2, 4 or 8 bits, counted from black or white; in strips or tiles, either byte order, BigTIFF; "
        "uncompressed, LZW, deflate, PackBits, Zstandard or LZMA", EIGHT, _tiff_gray),
    Row("TIFF", "black and white; also CCITT groups 3 and 4", EIGHT, _tiff_bilevel),
    Row("TIFF", "gray of 9 to 16 bits", TO_EIGHT,
        lambda: _tiffs(deep(gray()), three(gray()), photometric="minisblack"), (DEEP_GRAY,)),
    Row("TIFF", "RGB of 8 bits, interleaved or in planes", EIGHT, lambda: _tiffs(small(), small(), photometric="rgb")),
    Row("TIFF", "RGB of 16 bits, interleaved or in planes", TO_EIGHT,
        lambda: _tiffs(deep(small()), small(), photometric="rgb"), (DEEP_COLOR,)),
    Row("TIFF", "RGB with alpha, premultiplied or not", "8 bits, sRGB, with alpha", _tiff_alphas),
    Row("TIFF", "further channels without a meaning", "left out", lambda: _tiffs(
        np.dstack([small(), fading()]), small(), photometric="rgb", extrasamples=["unspecified"])),
    Row("TIFF", "palette of up to 16 bits", EIGHT, _tiff_palette),
    Row("TIFF", "missing colour model, wrong lengths of uncompressed strips or tiles", "read", _tiff_odd),
    Row("TIFF", "CMYK of 8 bits", AS_SRGB, _tiff_cmyk, ("cmyk: converted to sRGB",)),
    Row("TIFF", "CIELAB of 8 bits", AS_SRGB, lambda: [
        one_color(tiff(np.full((16, 16, 3), (128, 40, 216), np.uint8), photometric="cielab"), (158, 94, 189), 3),
    ], ("lab: converted to sRGB",)),
    Row("TIFF", "JPEG compression, YCbCr or RGB of 8 bits", EIGHT, _tiff_jpeg),
    Row("TIFF", "ICC profile", AS_SRGB, lambda: [
        File(tiff(ball(), photometric="rgb", iccprofile=build.swapped_profile()), swapped(ball()), tolerance=2),
    ], ("icc: converted to sRGB",)),
    Row("TIFF", "WhitePoint and PrimaryChromaticities, with TransferFunction or gamma 2.2", AS_SRGB, lambda: [
        one_color(_tiff_tags(*_P3_TAGS), (213, 92, 0)),
    ], ("calibrated: converted to sRGB",)),
    Row("TIFF", "several pages", "the first one", lambda: [
        one_color(animated("TIFF"), RED),
    ], ("multi-page: first page used",)),
    Row("TIFF", "first page a reduced copy", "the full picture", _tiff_pages,
        ("multi-page: the first page is a reduced copy, the full picture is used",)),
    Row("TIFF", "missing pixels", "", lambda: [
        tiff(ball(), photometric="rgb")[:-100],
        tiff(deep(ball()), photometric="rgb", compression="lzw", rowsperstrip=16)[:-3],
    ], refused="is cut short|is damaged"),
    Row("TIFF", "camera raw (DNG, NEF, CR2, ARW, PEF, SRW, …)", "", lambda: [
        build.camera_raw(b"NIKON CORPORATION"),
        build.camera_raw(b"SONY"),
        build.camera_raw(dng=True),
    ], refused="camera raw"),
    Row("TIFF", "camera raw that is no TIFF (RAF, ORF, RW2, CR3, CRW, X3F, MRW)", "", lambda: [
        mark + bytes(600)
        for mark in (b"FUJIFILMCCD-RAW 0201", b"IIRO\x08\0", b"IIU\0\x18", b"\0\0\0\x18ftypcrx ", b"FOVb", b"\0MRM")
    ], refused="camera raw"),
    Row("TIFF", "floating-point, signed or 32-bit samples", "", lambda: [
        tiff(small().astype(np.float32) / 255, photometric="rgb"),
        tiff(small().astype(np.int16), photometric="rgb"),
        tiff(small().astype(np.uint32), photometric="rgb"),
    ], refused="no range to display"),
    Row("TIFF", "CMYK with transparency", "", lambda: [
        tiff(np.dstack([small(), gray(), fading()]), photometric="separated", extrasamples=["unassalpha"]),
    ], refused="CMYK colours with transparency, which is not supported"),
    Row("TIFF", "WebP, JPEG 2000, JPEG XL or old-style JPEG compression", "", lambda: [
        tiff(ball(), photometric="rgb", compression="webp"),
        tiff(ball(), photometric="rgb", compression="jpegxl"),
        tiff(ball(), photometric="rgb", compression="jpeg2000"),
    ], refused="is compressed with .*, which is not supported"),
]  # fmt: skip
