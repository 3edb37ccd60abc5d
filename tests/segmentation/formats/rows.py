"""The table of docs/formats.md: what is read of each format, what is noted, what is refused.

Every row makes files and says what they must give; test_rows.py reads them. `python -m tests.segmentation.formats.rows`
writes the table into the page.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image

from tests.segmentation.formats import build
from tests.segmentation.formats.build import ball, bmp, chunk, deep, fading, png, saved, small, tiff

PAGE = Path(__file__).parents[3] / "docs" / "formats.md"
BEGIN, END = "<!-- rows -->", "<!-- end of rows -->"


@dataclass(frozen=True, slots=True)
class File:
    """One file and its right values: rgb (H, W, 3) uint8, alpha (H, W) uint8 or None, within `tolerance` levels.

    lossy: three pixels of a hundred, at edges, may differ by more.
    """

    data: bytes
    rgb: np.ndarray
    alpha: np.ndarray | None = None
    tolerance: int = 1
    lossy: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. refused: what the refusal says; else the files are read, with `notes`."""

    format: str
    what: str
    result: str
    files: Callable[[], Iterable[File | bytes]]
    notes: tuple[str, ...] = ()
    refused: str = ""


DEEP_COLOR = "depth: 16-bit colour scaled to 8 bits"
DEEP_GRAY = "depth: 16-bit gray scaled to 8 bits"
CUT = "damaged: the missing end of the file was ignored"
SUM = "damaged: a wrong checksum was ignored"
EIGHT, TO_EIGHT, AS_SRGB = "8 bits, sRGB", "8 bits (scaled), sRGB", "converted to sRGB"


def _gray() -> np.ndarray:
    return small()[..., 1]


def _three(gray: np.ndarray) -> np.ndarray:
    return np.dstack([gray] * 3)


def _numbers(depth: int) -> np.ndarray:
    """Return the gray picture as numbers of `depth` bits."""
    return _gray() >> (8 - depth)


def _shown(numbers: np.ndarray, depth: int) -> np.ndarray:
    return _three((numbers.astype(int) * 255 // (2**depth - 1)).astype(np.uint8))


def _swapped(rgb: np.ndarray) -> np.ndarray:
    return rgb[..., [1, 0, 2]]


def _one_color(data: bytes, color: tuple[int, int, int], tolerance: int = 2) -> File:
    """Judge a file of one colour, or by the ball's pixel: the rest of the picture is left open."""
    return File(data, np.array([[color]], np.uint8), tolerance=tolerance)


# PNG ------------------------------------------------------------------------------------------------------------------


def _png_gray() -> Iterator[File]:
    for depth in (1, 2, 4, 8):
        yield File(png(_numbers(depth), depth=depth, color_type=0), _shown(_numbers(depth), depth))


def _png_palette() -> Iterator[File]:
    for depth in (1, 2, 4, 8):
        numbers = _numbers(depth)
        steps = np.arange(2**depth)
        alpha = (steps * 255 // (2**depth - 1)).astype(np.uint8)
        table = np.stack([alpha, steps[::-1], steps], -1).astype(np.uint8)
        data = png(numbers, chunk(b"PLTE", table.tobytes()), chunk(b"tRNS", alpha.tobytes()), depth=depth, color_type=3)
        yield File(data, table[numbers], alpha[numbers])


def _png_keys() -> Iterator[File]:
    for depth in (1, 2, 4, 8, 16):
        numbers = deep(_gray()) if depth == 16 else _numbers(depth)
        key = int(numbers[40, 53])
        data = png(numbers, chunk(b"tRNS", struct.pack(">H", key)), depth=depth, color_type=0)
        rgb = _three(_gray()) if depth == 16 else _shown(numbers, depth)
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


def _adam7(image: Image.Image) -> bytes:
    """Write an interlaced PNG (ISO 15948, 8.2)."""
    depth, color_type = {"L": (8, 0), "RGB": (8, 2), "RGBA": (8, 6), "P": (8, 3), "1": (1, 0)}[image.mode]
    pixels = np.asarray(image).astype(np.uint8)
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b"".join(build.png_rows(part, depth) for x, y, dx, dy in passes if (part := pixels[y::dy, x::dx]).size)
    data = png(pixels, depth=depth, color_type=color_type, packed=zlib.compress(rows))
    header = bytearray(data[16:29])
    header[12] = 1
    palette = chunk(b"PLTE", bytes(image.getpalette())) if image.mode == "P" else b""
    return data[:8] + chunk(b"IHDR", bytes(header)) + palette + data[33:]


def _png_profiles() -> Iterator[File]:
    profile = build.profile_chunk(build.swapped_profile())
    yield File(png(small(), profile), _swapped(small()), tolerance=2)
    yield File(png(deep(small()), profile, depth=16), _swapped(small()), tolerance=2)


def _png_late_metadata() -> Iterator[File]:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1_200_000)))
    yield File(png(ball(), text), ball())
    yield File(png(ball(), chunk(b"tEXt", b"Comment\0" + b"x" * 1_200_000)), ball())
    yield File(png(ball(), after=chunk(b"iTXt", b"broken") + chunk(b"IEND", b"")), ball())


def _png_damage() -> Iterator[File]:
    yield File(png(ball(), chunk(b"tEXt", b"Comment\0hello", checksum=1)), ball())
    yield File(png(ball(), chunk(b"gAMA", struct.pack(">I", 100_000), checksum=1)), ball())
    yield File(png(ball(), pixel_checksum=1), ball())


def _png_sums() -> Iterator[File]:
    packed = zlib.compress(build.png_rows(ball(), 8))
    yield File(png(ball(), packed=packed[:-4] + b"abcd"), ball())
    yield File(png(ball(), packed=packed[:-4]), ball())
    yield File(png(ball(), packed=zlib.compress(build.png_rows(ball(), 8) + bytes(99))), ball())


def _animated(name: str) -> bytes:
    frames = [Image.new("RGB", (24, 16), color) for color in ("red", "green", "blue")]
    return saved(frames[0], name, save_all=True, append_images=frames[1:])


_RED = (255, 0, 0)

PNG = [
    Row("PNG", "gray, 1, 2, 4 or 8 bits", EIGHT, _png_gray),
    Row("PNG", "gray, 16 bits", TO_EIGHT, lambda: [File(png(deep(_gray()), depth=16), _three(_gray()))], (DEEP_GRAY,)),
    Row("PNG", "gray with alpha, 8 bits", EIGHT, lambda: [
        File(png(np.dstack([_gray(), fading()])), _three(_gray()), fading()),
    ]),
    Row("PNG", "gray with alpha, 16 bits", TO_EIGHT, lambda: [
        File(png(deep(np.dstack([_gray(), fading()])), depth=16), _three(_gray()), fading()),
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
    Row("PNG", "ICC profile", AS_SRGB, _png_profiles, ("*", "icc: converted to sRGB")),
    Row("PNG", "cICP, before iCCP, sRGB, gAMA and cHRM", AS_SRGB, lambda: [
        _one_color(png(ball(), build.code_points(12, 13)), (212, 92, 0)),
        _one_color(png(ball(), build.code_points(12, 13), build.profile_chunk(build.swapped_profile())), (212, 92, 0)),
        _one_color(png(ball(), build.code_points(9, 14)), (235, 63, 0)),
        _one_color(png(ball(), build.code_points(1, 8), chunk(b"sRGB", b"\0")), (228, 167, 73)),
    ], ("cicp: converted to sRGB",)),
    Row("PNG", "cICP with PQ (HDR)", "tone-mapped to sRGB", lambda: [
        _one_color(png(np.full((4, 4, 3), (120, 60, 30), np.uint8), build.code_points(9, 16)), (143, 0, 0)),
        _one_color(png(np.full((4, 4, 3), 160, np.uint8), build.code_points(9, 16)), (213, 213, 213)),
    ], ("hdr: PQ tone-mapped to sRGB",)),
    Row("PNG", "cICP with HLG (HDR)", "tone-mapped to sRGB", lambda: [
        _one_color(png(np.full((4, 4, 3), (120, 60, 30), np.uint8), build.code_points(9, 18)), (104, 32, 8)),
    ], ("hdr: HLG tone-mapped to sRGB",)),
    Row("PNG", "gAMA, with cHRM or without", AS_SRGB, lambda: [
        _one_color(png(ball(), build.gamma(0.551)), (207, 118, 21)),
        _one_color(png(ball(), build.gamma(1.0)), (228, 167, 73)),
        _one_color(png(ball(), build.gamma(0.45455), build.chromaticities(*build.ADOBE_RGB)), (224, 99, 0)),
        _one_color(png(ball(), build.gamma(0.45455), build.chromaticities(*build.DISPLAY_P3)), (213, 92, 0)),
        _one_color(png(_gray(), build.gamma(1.0)), _gray_of_light(int(_gray()[40, 53]))),
    ], ("gamma: converted to sRGB",)),
    Row("PNG", "gAMA at 16 bits, reduced to 8 bits first, as in browsers", AS_SRGB, lambda: [
        _one_color(png(np.full((4, 4, 3), (37_145, 8174, 169), np.uint16), build.gamma(1.0), depth=16), (199, 98, 0)),
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
    Row("PNG", "ICC profile of more than 8 MB", EIGHT, lambda: [
        File(png(ball(), build.profile_chunk(bytes(9 * 2**20))), ball()),
    ], ("icc: oversized profile ignored",)),
    Row("PNG", "text of any size, whole or broken", "not unpacked", _png_late_metadata),
    Row("PNG", "wrong checksum of a chunk", "read", _png_damage, (SUM,)),
    Row("PNG", "wrong or missing checksum of the pixels, data behind them", "read", _png_sums),
    Row("PNG", "missing end", "read when all pixels are there", lambda: [File(png(ball(), after=b""), ball())], (CUT,)),
    Row("PNG", "animation", "the first frame", lambda: [_one_color(_animated("PNG"), _RED)],
        ("animated: first of 3 frames used",)),
    Row("PNG", "missing pixels", "", lambda: [
        png(ball(), packed=zlib.compress(build.png_rows(ball(), 8)[:-1])),
        png(ball())[:-500],
    ], refused="is cut short"),
    Row("PNG", "wrong checksum of header or palette, unknown critical chunk", "", lambda: [
        png(_numbers(1), chunk(b"PLTE", bytes(6), checksum=1), depth=1, color_type=3),
        png(ball(), chunk(b"ABCD", b"")),
    ], refused="is damaged"),
    Row("PNG", "for iOS apps (CgBI)", "", lambda: [png(ball())[:8] + chunk(b"CgBI", bytes(4)) + png(ball())[8:]],
        refused="iOS"),
]  # fmt: skip


def _gray_of_light(level: int) -> tuple[int, int, int]:
    light = level / 255
    value = round(255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055))
    return value, value, value


# JPEG -----------------------------------------------------------------------------------------------------------------


def _jpeg(**options: object) -> bytes:
    return saved(ball(), "JPEG", **{"quality": 95} | options)


def _decoded(data: bytes) -> np.ndarray:
    """Decode a JPEG with another decoder than Pillow."""
    pixels = imagecodecs.jpeg8_decode(data)
    return pixels if pixels.ndim == 3 else _three(pixels)


def _jpeg_files() -> Iterator[File]:
    for options in ({}, {"progressive": True}, *({"subsampling": kind} for kind in range(3))):
        data = _jpeg(**options)
        yield File(data, _decoded(data), tolerance=4, lossy=True)
    data = saved(ball()[..., 1], "JPEG", quality=95)
    yield File(data, _decoded(data), tolerance=2)
    data = imagecodecs.jpeg8_encode(ball(), level=95, colorspace="RGB", outcolorspace="RGB")
    yield File(data, ball(), tolerance=6, lossy=True)


def _jpeg_ends() -> Iterator[File]:
    for options in ({}, {"progressive": True}, {"subsampling": 0}):
        data = _jpeg(**options)
        yield File(data[:-2], _decoded(data), tolerance=4, lossy=True)
        yield File(data[:-1], _decoded(data), tolerance=4, lossy=True)


def _jpeg_cuts() -> Iterator[bytes]:
    for options in ({}, {"progressive": True}):
        data = _jpeg(**options)
        yield from (data[: len(data) * percent // 100] for percent in (40, 60, 80, 95, 99))
        yield data[:-40]


JPEG = [
    Row("JPEG", "gray, YCbCr of every subsampling, RGB; baseline or progressive; 8 bits", EIGHT, _jpeg_files),
    Row("JPEG", "CMYK, YCCK, 8 bits", AS_SRGB, lambda: [
        File(saved(Image.fromarray(ball()).convert("CMYK"), "JPEG", quality=98), ball(), tolerance=6, lossy=True),
    ], ("cmyk: converted to sRGB",)),
    Row("JPEG", "ICC profile", AS_SRGB, lambda: [
        File(_jpeg(icc_profile=build.swapped_profile(), subsampling=0), _swapped(ball()), tolerance=6, lossy=True),
    ], ("icc: converted to sRGB",)),
    Row("JPEG", "missing end marker", "read when all pixels are there", _jpeg_ends, (CUT,)),
    Row("JPEG", "missing pixels", "", _jpeg_cuts, refused="is cut short"),
    Row("JPEG", "12 bits a channel", "", lambda: [
        imagecodecs.jpeg8_encode(ball().astype(np.uint16) << 4, bitspersample=12),
    ], refused="12 bits a channel, which is not supported"),
    Row("JPEG", "lossless", "", lambda: [
        imagecodecs.ljpeg_encode(ball()[..., 0]),
        imagecodecs.jpeg8_encode(ball(), lossless=True),
    ], refused="lossless JPEG, which is not supported"),
    Row("JPEG", "JPEG-LS", "", lambda: [imagecodecs.jpegls_encode(ball())],
        refused="JPEG-LS picture, which is not supported"),
]  # fmt: skip


# TIFF -----------------------------------------------------------------------------------------------------------------

_LAYOUTS: tuple[dict[str, object], ...] = ({"rowsperstrip": 7}, {"tile": (16, 32)}, {"byteorder": ">", "bigtiff": True})
_PACKINGS = (None, "lzw", "zlib", "packbits", "zstd", "lzma")


def _tiffs(pixels: np.ndarray, rgb: np.ndarray, alpha: np.ndarray | None = None, **options: object) -> Iterator[File]:
    """Write every layout, planes and packing."""
    for plane in ("contig", "separate") if pixels.ndim == 3 else (None,):
        stored = np.moveaxis(pixels, -1, 0) if plane == "separate" else pixels
        for layout in _LAYOUTS:
            for packing in _PACKINGS:
                yield File(tiff(stored, compression=packing, planarconfig=plane, **layout, **options), rgb, alpha)
        data = tiff(stored, compression="zlib", predictor=True, planarconfig=plane, **options)
        yield File(data, rgb, alpha)


def _tiff_gray() -> Iterator[File]:
    yield from _tiffs(_gray(), _three(_gray()), photometric="minisblack")
    yield from _tiffs(255 - _gray(), _three(_gray()), photometric="miniswhite")
    for bits in (2, 4):
        yield File(tiff(_numbers(bits), bitspersample=bits, photometric="minisblack"), _shown(_numbers(bits), bits))


def _tiff_bilevel() -> Iterator[File]:
    bits = _gray() > 128
    for packing in (None, "lzw", "zlib", "packbits"):
        yield File(tiff(bits, photometric="minisblack", compression=packing), _three(bits * np.uint8(255)))
    image = Image.fromarray(bits)
    for packing in ("group3", "group4", "tiff_ccitt"):
        yield File(saved(image, "TIFF", compression=packing), _three(bits * np.uint8(255)))


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
    yield File(tiff(_gray(), photometric="palette", colormap=table), (table >> 8).T.astype(np.uint8)[_gray()])


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
    import tifffile

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


_P3_TAGS = (
    (318, 5, 2, (31270, 100_000, 32900, 100_000), True),
    (319, 5, 6, (68, 100, 32, 100, 265, 1000, 69, 100, 15, 100, 6, 100), True),
)

TIFF = [
    Row("TIFF", "gray of 2, 4 or 8 bits, counted from black or white; in strips or tiles, either byte order, BigTIFF; "
        "uncompressed, LZW, deflate, PackBits, Zstandard or LZMA", EIGHT, _tiff_gray),
    Row("TIFF", "black and white; also CCITT groups 3 and 4", EIGHT, _tiff_bilevel),
    Row("TIFF", "gray of 9 to 16 bits", TO_EIGHT,
        lambda: _tiffs(deep(_gray()), _three(_gray()), photometric="minisblack"), (DEEP_GRAY,)),
    Row("TIFF", "RGB of 8 bits, interleaved or in planes", EIGHT, lambda: _tiffs(small(), small(), photometric="rgb")),
    Row("TIFF", "RGB of 16 bits, interleaved or in planes", TO_EIGHT,
        lambda: _tiffs(deep(small()), small(), photometric="rgb"), (DEEP_COLOR,)),
    Row("TIFF", "RGB with alpha, premultiplied or not", "8 bits, sRGB, with alpha", _tiff_alphas),
    Row("TIFF", "further channels without a meaning", "left out", lambda: _tiffs(
        np.dstack([small(), fading()]), small(), photometric="rgb", extrasamples=["unspecified"])),
    Row("TIFF", "palette of up to 8 bits", EIGHT, _tiff_palette),
    Row("TIFF", "CMYK of 8 bits", AS_SRGB, _tiff_cmyk, ("cmyk: converted to sRGB",)),
    Row("TIFF", "CIELAB of 8 bits", AS_SRGB, lambda: [
        _one_color(tiff(np.full((16, 16, 3), (128, 40, 216), np.uint8), photometric="cielab"), (158, 94, 189), 3),
    ], ("lab: converted to sRGB",)),
    Row("TIFF", "JPEG compression, YCbCr or RGB of 8 bits", EIGHT, _tiff_jpeg),
    Row("TIFF", "ICC profile", AS_SRGB, lambda: [
        File(tiff(ball(), photometric="rgb", iccprofile=build.swapped_profile()), _swapped(ball()), tolerance=2),
    ], ("icc: converted to sRGB",)),
    Row("TIFF", "WhitePoint and PrimaryChromaticities, with TransferFunction or gamma 2.2", AS_SRGB, lambda: [
        _one_color(_tiff_tags(*_P3_TAGS), (213, 92, 0)),
    ], ("calibrated: converted to sRGB",)),
    Row("TIFF", "several pages", "the first one", lambda: [
        _one_color(_animated("TIFF"), _RED),
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
        tiff(np.dstack([small(), _gray(), fading()]), photometric="separated", extrasamples=["unassalpha"]),
    ], refused="CMYK colours with transparency, which is not supported"),
    Row("TIFF", "WebP, JPEG 2000, JPEG XL or old-style JPEG compression", "", lambda: [
        tiff(ball(), photometric="rgb", compression="webp"),
        tiff(ball(), photometric="rgb", compression="jpegxl"),
        tiff(ball(), photometric="rgb", compression="jpeg2000"),
    ], refused="is compressed with .*, which is not supported"),
]  # fmt: skip


# The others -----------------------------------------------------------------------------------------------------------


def _webps() -> Iterator[File]:
    yield File(saved(ball(), "WEBP", lossless=True), ball(), tolerance=0)
    rgba = np.dstack([small(), fading()])
    data = saved(Image.fromarray(rgba), "WEBP", lossless=True, exact=True)
    yield File(data, small(), fading(), tolerance=0)
    data = saved(ball(), "WEBP", quality=90)
    yield File(data, imagecodecs.webp_decode(data)[..., :3], tolerance=3, lossy=True)


def _webp_ends() -> Iterator[File]:
    exif = Image.Exif()
    exif[0x0131] = "a program"
    data = saved(ball(), "WEBP", lossless=True, exif=exif.tobytes())
    yield File(data[:-4], ball(), tolerance=0)


def _avifs() -> Iterator[File]:
    for options in ({}, {"pixelformat": "420"}, {"pixelformat": "422"}):
        data = build.avif(ball(), **options)
        yield File(data, imagecodecs.avif_decode(data)[..., :3], tolerance=6, lossy=True)
    for bits in (10, 12):
        data = build.avif((deep(ball()) >> (16 - bits)), bitspersample=bits)
        yield File(data, ball(), tolerance=8, lossy=True)
    rgba = np.dstack([ball(), fading(240, 320)])
    data = build.avif(rgba)
    yield File(data, ball(), fading(240, 320), tolerance=8, lossy=True)


def _bmps() -> Iterator[File]:
    yield File(bmp(small()), small())
    yield File(saved(Image.fromarray(_gray()), "BMP"), _three(_gray()))
    image = Image.fromarray(small()).quantize(200)
    yield File(saved(image, "BMP"), np.asarray(image.convert("RGB")))
    bits = Image.fromarray(_gray() > 128)
    yield File(saved(bits, "BMP"), np.asarray(bits.convert("RGB")))
    rgba = np.dstack([small(), fading()])
    yield File(saved(Image.fromarray(rgba), "BMP"), small())  # the fourth byte means nothing there
    yield File(build.bmp_with_alpha(rgba), small(), fading())


JPEG_XL = [
    Row("JPEG XL", "gray, RGB, RGB with alpha, 8 bits; bare or in a container", EIGHT, lambda: [
        File(imagecodecs.jpegxl_encode(ball(), lossless=True), ball()),
        File(imagecodecs.jpegxl_encode(ball(), lossless=True, usecontainer=True), ball()),
        File(imagecodecs.jpegxl_encode(_gray(), lossless=True), _three(_gray())),
        File(imagecodecs.jpegxl_encode(np.dstack([small(), fading()]), lossless=True), small(), fading()),
    ]),
    Row("JPEG XL", "RGB, 16 bits, with the profile that the decoder gives, here of linear light", AS_SRGB, lambda: [
        _one_color(imagecodecs.jpegxl_encode(deep(ball()), lossless=True), (228, 167, 73)),
    ], ("icc: converted to sRGB",)),
    Row("JPEG XL", "gray, 16 bits", AS_SRGB, lambda: [
        _one_color(imagecodecs.jpegxl_encode(deep(_gray()), lossless=True), _gray_of_light(int(_gray()[40, 53]))),
    ], (DEEP_GRAY, "icc: converted to sRGB")),
    Row("JPEG XL", "cut short or damaged", "", lambda: [imagecodecs.jpegxl_encode(ball(), lossless=True)[:-2000]],
        refused="damaged|cut short"),
    Row("JPEG XL", "floating-point samples", "", lambda: [
        imagecodecs.jpegxl_encode(ball()[..., 0].astype(np.float32) / 255, lossless=True),
    ], refused="no range to display"),
]  # fmt: skip

JPEG_2000 = [
    Row("JPEG 2000", "gray, RGB, RGB with alpha, 8 bits; JP2 or bare code stream", EIGHT, lambda: [
        File(imagecodecs.jpeg2k_encode(ball(), level=0, codecformat="jp2"), ball()),
        File(imagecodecs.jpeg2k_encode(ball(), level=0, codecformat="j2k"), ball()),
        File(imagecodecs.jpeg2k_encode(_gray(), level=0, codecformat="jp2"), _three(_gray())),
        File(imagecodecs.jpeg2k_encode(np.dstack([small(), fading()]), level=0, codecformat="jp2"), small(), fading()),
        File(saved(ball(), "JPEG2000", irreversible=True, quality_layers=[20]), ball(), tolerance=12, lossy=True),
    ]),
    Row("JPEG 2000", "gray, 9 to 16 bits", TO_EIGHT, lambda: [
        File(imagecodecs.jpeg2k_encode(deep(_gray()), level=0, codecformat="jp2"), _three(_gray())),
    ], (DEEP_GRAY,)),
    Row("JPEG 2000", "RGB, 9 to 16 bits", TO_EIGHT, lambda: [
        File(imagecodecs.jpeg2k_encode(deep(ball()), level=0, codecformat="jp2"), ball()),
    ], (DEEP_COLOR,)),
]  # fmt: skip

OTHERS = [
    Row("WebP", "lossy or lossless, with alpha or without", EIGHT, _webps),
    Row("WebP", "ICC profile", AS_SRGB, lambda: [
        File(saved(small(), "WEBP", lossless=True, icc_profile=build.swapped_profile()), _swapped(small())),
    ], ("icc: converted to sRGB",)),
    Row("WebP", "metadata cut off behind the pixels", "read", _webp_ends, (CUT,)),
    Row("WebP", "animation", "the first frame", lambda: [_one_color(_animated("WEBP"), _RED, 4)],
        ("animated: first of 3 frames used",)),
    Row("WebP", "missing pixels", "", lambda: [saved(ball(), "WEBP")[:-50]], refused="is cut short|is damaged"),
    Row("HEIC", "8 or 10 bits, with alpha or without", EIGHT, lambda: [
        File(build.heic(ball()), ball(), tolerance=6, lossy=True),
        File(build.heic(np.dstack([ball(), fading(240, 320)])), ball(), fading(240, 320), tolerance=6, lossy=True),
    ]),
    Row("HEIC", "`nclx` colours such as Display P3", AS_SRGB, lambda: [
        _one_color(build.heic(ball(), color_primaries=12, transfer_characteristics=13), (212, 92, 0), 4),
    ], ("cicp: converted to sRGB",)),
    Row("HEIC", "cut short", "", lambda: [build.heic(ball())[:-200]], refused="is cut short|is damaged"),
    Row("AVIF", "8, 10 or 12 bits, every subsampling, with alpha or without", EIGHT, _avifs),
    Row("AVIF", "`nclx` colours such as Display P3; video curves count as sRGB, as in browsers", AS_SRGB, lambda: [
        _one_color(build.avif(ball(), 12, 13), (212, 92, 0), 4),
        _one_color(build.avif(ball(), 9, 14, 9), (236, 76, 0), 4),
        _one_color(build.avif(ball(), 1, 8), (228, 167, 73), 4),
    ], ("cicp: converted to sRGB",)),
    Row("AVIF", "PQ or HLG (HDR)", "tone-mapped to sRGB", lambda: [
        _one_color(build.avif(np.full((32, 32, 3), (120, 60, 30), np.uint8), 9, 16, 9), (143, 0, 0), 5),
    ], ("hdr: PQ tone-mapped to sRGB",)),
    Row("AVIF", "animation", "the first frame", lambda: [_one_color(_animated("AVIF"), _RED, 6)],
        ("animated: first of 3 frames used",)),
    Row("BMP", "1, 4, 8, 16, 24 or 32 bits, also run-length encoded", EIGHT, _bmps),
    Row("BMP", "ICC profile", AS_SRGB, lambda: [
        File(build.bmp_with_profile(ball(), build.swapped_profile()), _swapped(ball()), tolerance=2),
    ], ("icc: converted to sRGB",)),
    Row("BMP", "primaries and gamma in the header", "read as sRGB, as in browsers", lambda: [
        File(build.bmp_calibrated(ball(), build.DISPLAY_P3, 2.2), ball()),
    ], ("calibrated: colours of the header ignored",)),
    Row("BMP", "missing filling behind the last row, or up to three bytes", "read", lambda: [
        File(bmp(small()[:, :105])[:-1], small()[:, :105]),
        File(bmp(ball())[:-2], ball(), lossy=True),
    ], (CUT,)),
    Row("BMP", "missing pixels", "", lambda: [bmp(ball())[:-4]], refused="is cut short"),
    Row("GIF", "palette, with its transparent colour", EIGHT, lambda: [
        File(saved(image := Image.fromarray(small()).quantize(64), "GIF"), np.asarray(image.convert("RGB"))),
    ]),
    Row("GIF", "animation", "the first frame", lambda: [_one_color(_animated("GIF"), _RED)],
        ("animated: first frame used",)),
    Row("GIF", "missing end", "read when all pixels are there", lambda: [
        File(saved(image := Image.fromarray(small()).quantize(64), "GIF")[:-1], np.asarray(image.convert("RGB"))),
        File(saved(image, "GIF")[:-2], np.asarray(image.convert("RGB"))),
    ], (CUT,)),
    Row("GIF", "missing pixels", "", lambda: [saved(Image.fromarray(small()).quantize(64), "GIF")[:-60]],
        refused="is cut short"),
]  # fmt: skip

ROWS = [*JPEG, *PNG, *TIFF, *JPEG_XL, *JPEG_2000, *OTHERS]


def table() -> str:
    lines = ["| format | what | result | note or refusal |", "|---|---|---|---|"]
    for row in ROWS:
        told = f"refused: “{row.refused.replace('|', '” or “').replace('.*', '…')}”" if row.refused else ""
        notes = ", ".join(f"`{note}`" for note in row.notes if note != "*")
        lines.append(f"| {row.format} | {row.what} | {row.result} | {told or notes} |")
    return "\n".join(lines)


if __name__ == "__main__":
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
