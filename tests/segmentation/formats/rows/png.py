"""The rows for PNG in the table of docs/formats.md."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.segmentation.formats import build
from tests.segmentation.formats.build import ball, chunk, deep, fading, png, small
from tests.segmentation.formats.rows.row import (
    AS_SRGB,
    CUT,
    DEEP_COLOR,
    DEEP_GRAY,
    EIGHT,
    RED,
    SUM,
    TO_EIGHT,
    File,
    Row,
    animated,
    gray,
    gray_of_light,
    numbers_of,
    one_color,
    shown,
    swapped,
    three,
)


def _png_gray() -> Iterator[File]:
    for depth in (1, 2, 4, 8):
        yield File(png(numbers_of(depth), depth=depth, color_type=0), shown(numbers_of(depth), depth))


def _png_palette() -> Iterator[File]:
    for depth in (1, 2, 4, 8):
        numbers = numbers_of(depth)
        steps = np.arange(2**depth)
        alpha = (steps * 255 // (2**depth - 1)).astype(np.uint8)
        table = np.stack([alpha, steps[::-1], steps], -1).astype(np.uint8)
        data = png(numbers, chunk(b"PLTE", table.tobytes()), chunk(b"tRNS", alpha.tobytes()), depth=depth, color_type=3)
        yield File(data, table[numbers], alpha[numbers])


def _png_keys() -> Iterator[File]:
    for depth in (1, 2, 4, 8, 16):
        numbers = deep(gray()) if depth == 16 else numbers_of(depth)
        key = int(numbers[40, 53])
        data = png(numbers, chunk(b"tRNS", struct.pack(">H", key)), depth=depth, color_type=0)
        rgb = three(gray()) if depth == 16 else shown(numbers, depth)
        yield File(data, rgb, np.where(numbers == key, 0, 255).astype(np.uint8))
    for pixels, depth in ((small(), 8), (deep(small()) ^ 0x00FF, 16)):
        key_color = pixels[40, 53]
        data = png(pixels, chunk(b"tRNS", struct.pack(">3H", *key_color.tolist())), depth=depth)
        rgb = pixels if depth == 8 else ((pixels.astype(int) + 128) // 257).astype(np.uint8)
        yield File(data, rgb, np.where((pixels == key_color).all(-1), 0, 255).astype(np.uint8))


def _png_interlaced() -> Iterator[File]:
    for mode in ("L", "RGB", "RGBA", "P", "1"):
        options = {"palette": Image.Palette.ADAPTIVE} if mode == "P" else {}
        image = Image.fromarray(small()).convert(mode, **options)
        yield File(_adam7(image), np.asarray(image.convert("RGB")))


def _png_interlaced_keys() -> Iterator[File]:
    for depth in (1, 2, 4, 8, 16):
        numbers = deep(gray()) if depth == 16 else numbers_of(depth)
        for width in (1, 3, 5, 106):  # narrow pictures have no pixels in some passes
            part = np.ascontiguousarray(numbers[: width + 1, 50 : 50 + width] if width < 9 else numbers)
            key = int(part[-1, -1])
            data = _interlaced(part, depth, 0, chunk(b"tRNS", struct.pack(">H", key)))
            rgb = three((part >> 8).astype(np.uint8)) if depth == 16 else shown(part, depth)
            yield File(data, rgb, np.where(part == key, 0, 255).astype(np.uint8))


def _adam7(image: Image.Image) -> bytes:
    """Return a Pillow image as an interlaced PNG."""
    depth, color_type = {"L": (8, 0), "RGB": (8, 2), "RGBA": (8, 6), "P": (8, 3), "1": (1, 0)}[image.mode]
    palette = [chunk(b"PLTE", bytes(image.getpalette()))] if image.mode == "P" else []
    return _interlaced(np.asarray(image).astype(np.uint8), depth, color_type, *palette)


def _interlaced(pixels: np.ndarray, depth: int, color_type: int, *chunks: bytes) -> bytes:
    """Return an interlaced PNG (ISO 15948, 8.2). The arguments are those of `build.png`."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b"".join(build.png_rows(part, depth) for x, y, dx, dy in passes if (part := pixels[y::dy, x::dx]).size)
    data = png(pixels, depth=depth, color_type=color_type, packed=zlib.compress(rows))
    header = bytearray(data[16:29])
    header[12] = 1
    return data[:8] + chunk(b"IHDR", bytes(header)) + b"".join(chunks) + data[33:]


def _png_profiles() -> Iterator[File]:
    profile = build.profile_chunk(build.swapped_profile())
    yield File(png(small(), profile), swapped(small()), tolerance=2)
    yield File(png(deep(small()), profile, depth=16), swapped(small()), tolerance=2)


def _png_late_metadata() -> Iterator[File]:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1_200_000)))
    yield File(png(ball(), text), ball())
    yield File(png(ball(), chunk(b"tEXt", b"Comment\0" + b"x" * 1_200_000)), ball())
    yield File(png(ball(), after=chunk(b"iTXt", b"broken") + chunk(b"ABCD", b"new") + chunk(b"IEND", b"")), ball())


def _png_damage() -> Iterator[File]:
    yield File(png(ball(), chunk(b"tEXt", b"Comment\0hello", checksum=1)), ball())
    yield File(png(ball(), chunk(b"gAMA", struct.pack(">I", 100_000), checksum=1)), ball())
    yield File(png(ball(), pixel_checksum=1), ball())
    yield File(png(ball(), after=chunk(b"IEND", b"", checksum=1)), ball())


def _png_sums() -> Iterator[File]:
    packed = zlib.compress(build.png_rows(ball(), 8))
    yield File(png(ball(), packed=packed[:-4] + b"abcd"), ball())
    yield File(png(ball(), packed=packed[:-4]), ball())
    yield File(png(ball(), packed=zlib.compress(build.png_rows(ball(), 8) + bytes(99))), ball())


PNG = [
    Row("PNG", "gray, 1, 2, 4 or 8 bits", EIGHT, _png_gray),
    Row("PNG", "gray, 16 bits", TO_EIGHT, lambda: [File(png(deep(gray()), depth=16), three(gray()))], (DEEP_GRAY,)),
    Row("PNG", "gray with alpha, 8 bits", EIGHT, lambda: [
        File(png(np.dstack([gray(), fading()])), three(gray()), fading()),
    ]),
    Row("PNG", "gray with alpha, 16 bits", TO_EIGHT, lambda: [
        File(png(deep(np.dstack([gray(), fading()])), depth=16), three(gray()), fading()),
    ], (DEEP_GRAY,)),
    Row("PNG", "palette, 1, 2, 4 or 8 bits, with its transparency", EIGHT, _png_palette),
    Row("PNG", "RGB, RGB with alpha, 8 bits", EIGHT, lambda: [
        File(png(small()), small()),
        File(png(np.dstack([small(), fading()])), small(), fading()),
    ]),
    Row("PNG", "RGB, RGB with alpha, 16 bits", TO_EIGHT, lambda: [
        File(png(deep(small()), depth=16), small()),
        File(png(deep(np.dstack([small(), fading()])), depth=16), small(), fading()),
    ], (DEEP_COLOR,)),
    Row("PNG", "transparent colour (tRNS) at every depth", "8 bits, sRGB, with alpha", _png_keys, ("*",)),
    Row("PNG", "interlaced", EIGHT, _png_interlaced),
    Row("PNG", "interlaced, with a transparent colour", "8 bits, sRGB, with alpha", _png_interlaced_keys, ("*",)),
    Row("PNG", "ICC profile", AS_SRGB, _png_profiles, ("*", "icc: converted to sRGB")),
    Row("PNG", "cICP, before iCCP, sRGB, gAMA and cHRM", AS_SRGB, lambda: [
        one_color(png(ball(), build.code_points(12, 13)), (212, 92, 0)),
        one_color(png(ball(), build.code_points(12, 13), build.profile_chunk(build.swapped_profile())), (212, 92, 0)),
        one_color(png(ball(), build.code_points(9, 14)), (235, 63, 0)),
        one_color(png(ball(), build.code_points(1, 8), chunk(b"sRGB", b"\0")), (228, 167, 73)),
    ], ("cicp: converted to sRGB",)),
    Row("PNG", "cICP of unknown or unspecified colours or of narrow range, ignored as in browsers", AS_SRGB, lambda: [
        one_color(png(ball(), build.code_points(2, 2), build.gamma(1.0)), (228, 167, 73)),
        one_color(png(ball(), build.code_points(12, 2), build.gamma(1.0)), (228, 167, 73)),
        one_color(png(ball(), build.code_points(13, 13), build.gamma(1.0)), (228, 167, 73)),
        one_color(png(ball(), chunk(b"cICP", bytes((12, 13, 0, 0))), build.gamma(1.0)), (228, 167, 73)),
    ], ("gamma: converted to sRGB",)),
    Row("PNG", "cICP with PQ (HDR)", "tone-mapped to sRGB", lambda: [
        one_color(png(np.full((4, 4, 3), (120, 60, 30), np.uint8), build.code_points(9, 16)), (143, 0, 0)),
        one_color(png(np.full((4, 4, 3), 160, np.uint8), build.code_points(9, 16)), (213, 213, 213)),
    ], ("hdr: PQ tone-mapped to sRGB",)),
    Row("PNG", "cICP with HLG (HDR)", "tone-mapped to sRGB", lambda: [
        one_color(png(np.full((4, 4, 3), (120, 60, 30), np.uint8), build.code_points(9, 18)), (104, 32, 8)),
    ], ("hdr: HLG tone-mapped to sRGB",)),
    Row("PNG", "gAMA, with cHRM or without", AS_SRGB, lambda: [
        one_color(png(ball(), build.gamma(0.551)), (207, 118, 21)),
        one_color(png(ball(), build.gamma(1.0)), (228, 167, 73)),
        one_color(png(ball(), build.gamma(0.45455), build.chromaticities(*build.ADOBE_RGB)), (224, 99, 0)),
        one_color(png(ball(), build.gamma(0.45455), build.chromaticities(*build.DISPLAY_P3)), (213, 92, 0)),
        one_color(png(gray(), build.gamma(1.0)), gray_of_light(int(gray()[40, 53]))),
    ], ("gamma: converted to sRGB",)),
    Row("PNG", "gAMA at 16 bits, reduced to 8 bits first, as in browsers", AS_SRGB, lambda: [
        one_color(png(np.full((4, 4, 3), (37_145, 8174, 169), np.uint16), build.gamma(1.0), depth=16), (199, 98, 0)),
    ], (DEEP_COLOR, "gamma: converted to sRGB")),
    Row("PNG", "gAMA of sRGB, cHRM alone, sRGB beside another gAMA, gAMA behind the pixels", EIGHT, lambda: [
        File(png(ball(), build.gamma(0.45455)), ball(), tolerance=0),
        File(png(ball(), build.chromaticities(*build.DISPLAY_P3)), ball(), tolerance=0),
        File(png(ball(), chunk(b"sRGB", b"\0"), build.gamma(1.0)), ball(), tolerance=0),
        File(png(ball(), after=build.gamma(1.0) + chunk(b"IEND", b"")), ball(), tolerance=0),
    ]),
    Row("PNG", "empty or broken ICC profile", EIGHT, lambda: [
        File(png(ball(), chunk(b"iCCP", b"")), ball()),
        File(png(ball(), chunk(b"iCCP", b"x\0\0nothing")), ball()),
        File(png(ball(), build.profile_chunk(b"no profile at all")), ball()),
    ], ("icc: broken profile ignored",)),
    Row("PNG", "empty or broken ICC profile, with gAMA", AS_SRGB, lambda: [
        one_color(png(ball(), chunk(b"iCCP", b"x\0\0nothing"), build.gamma(1.0)), (228, 167, 73)),
        one_color(png(ball(), build.profile_chunk(b"no profile at all"), build.gamma(1.0)), (228, 167, 73)),
    ], ("icc: broken profile ignored", "gamma: converted to sRGB")),
    Row("PNG", "ICC profile of more than 8 MB", EIGHT, lambda: [
        File(png(ball(), build.profile_chunk(bytes(9 * 2**20))), ball()),
    ], ("icc: oversized profile ignored",)),
    Row("PNG", "text of any size, whole or broken", "not unpacked", _png_late_metadata),
    Row("PNG", "wrong checksum of a chunk", "read", _png_damage, (SUM,)),
    Row("PNG", "wrong or missing checksum of the pixels, data behind them", "read", _png_sums),
    Row("PNG", "missing end", "read when all pixels are there", lambda: [File(png(ball(), after=b""), ball())], (CUT,)),
    Row("PNG", "animation", "the first frame", lambda: [one_color(animated("PNG"), RED)],
        ("animated: first of 3 frames used",)),
    Row("PNG", "missing pixels", "", lambda: [
        png(ball(), packed=zlib.compress(build.png_rows(ball(), 8)[:-1])),
        png(ball())[:-500],
    ], refused="is cut short"),
    Row("PNG", "wrong checksum of header or palette, unknown critical chunk", "", lambda: [
        png(numbers_of(1), chunk(b"PLTE", bytes(6), checksum=1), depth=1, color_type=3),
        png(ball(), chunk(b"ABCD", b"")),
    ], refused="is damaged"),
    Row("PNG", "for iOS apps (CgBI)", "", lambda: [png(ball())[:8] + chunk(b"CgBI", bytes(4)) + png(ball())[8:]],
        refused="iOS"),
]  # fmt: skip
