"""The rows for JPEG, JPEG XL and JPEG 2000 in the table of docs/formats.md."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import imagecodecs
import numpy as np
from PIL import Image

from tests.segmentation.formats import build
from tests.segmentation.formats.build import ball, box, deep, fading, saved, small
from tests.segmentation.formats.rows.row import (
    AS_SRGB,
    CUT,
    DEEP_COLOR,
    DEEP_GRAY,
    EIGHT,
    TO_EIGHT,
    File,
    Row,
    gray,
    gray_of_light,
    one_color,
    swapped,
    three,
)


def _jpeg(**options: object) -> bytes:
    return saved(ball(), "JPEG", **{"quality": 95} | options)


def _decoded(data: bytes) -> np.ndarray:
    """Decode a JPEG without Pillow, and return its pixels, (H, W, 3) uint8."""
    pixels = imagecodecs.jpeg8_decode(data)
    return pixels if pixels.ndim == 3 else three(pixels)


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
        yield data[: len(data) // 2] + data[-2:]  # some programs close a file that they received in part
    data = saved(Image.fromarray(ball()).convert("CMYK"), "JPEG", quality=95)
    yield data[: len(data) // 2] + data[-2:]
    data = saved(ball()[..., 1], "JPEG", quality=95)
    yield data[: len(data) // 2] + bytes(1000) + data[-2:]


def _jpeg_gray_corner() -> File:
    """Return a JPEG whose last corner has the value that a decoder fills in for missing pixels."""
    pixels = ball().copy()
    pixels[-32:, -32:] = 128
    data = saved(pixels, "JPEG", quality=95, subsampling=0)
    return File(data, _decoded(data), tolerance=4, lossy=True)


def _packed_jpegs() -> Iterator[File]:
    """Yield JPEGs that JPEG XL has packed without loss, with and without rotation."""
    for turn in (1, 3, 6):
        exif = Image.Exif()
        exif[0x0112] = turn
        pixels = _decoded(_jpeg(exif=exif.tobytes()))
        upright = {1: pixels, 3: pixels[::-1, ::-1], 6: np.rot90(pixels, -1)}[turn]
        yield File(imagecodecs.jpegxl_encode_jpeg(_jpeg(exif=exif.tobytes())), upright, tolerance=4, lossy=True)


def _jxl_animation(bits: int) -> bytes:
    """Return an animation of two frames that begins with the ball, of this number of bits a channel."""
    levels = np.rint(ball() * ((2**bits - 1) / 255)).astype(np.uint16 if bits > 8 else np.uint8)
    frames = np.stack([levels, 2**bits - 1 - levels])
    return imagecodecs.jpegxl_encode(frames, bitspersample=bits, lossless=True)


def _jxl_animations_of_few_bits() -> Iterator[File]:
    for bits in (4, 6):
        most = 2**bits - 1
        yield File(_jxl_animation(bits), np.rint(np.rint(ball() * (most / 255)) * (255 / most)).astype(np.uint8))


def _jp2(stream: bytes, channels: int, *more: bytes, space: int = 16) -> bytes:
    """Return a JP2 file. stream: the code stream. more: further boxes of the header. space: of the box `colr`."""
    height, width = struct.unpack(">II", stream[12:16] + stream[8:12])
    head = box(b"ihdr", struct.pack(">IIHBBBB", height, width, channels, 7, 7, 0, 0))
    head += box(b"colr", b"\1\0\0" + struct.pack(">I", space)) + b"".join(more)
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return start + box(b"jp2h", head) + box(b"jp2c", stream)


def _stream(pixels: np.ndarray, **options: int) -> bytes:
    return imagecodecs.jpeg2k_encode(np.ascontiguousarray(pixels), level=0, codecformat="j2k", **options)


def _meanings(*channels: tuple[int, int]) -> bytes:
    """Return a box `cdef`. channels: for each component its kind and the colour to which it belongs."""
    parts = [struct.pack(">3H", index, *channel) for index, channel in enumerate(channels)]
    return box(b"cdef", struct.pack(">H", len(parts)) + b"".join(parts))


def _jp2_few_bits() -> Iterator[File]:
    for depth in (1, 2, 4, 6):
        numbers = ball() >> (8 - depth)
        scaled = np.rint(numbers * (255 / (2**depth - 1))).astype(np.uint8)
        yield File(_stream(numbers, bitspersample=depth), scaled, tolerance=0)
        yield File(_stream(numbers[..., 1], bitspersample=depth), three(scaled[..., 1]), tolerance=0)


def _palette(columns: np.ndarray, bits: int = 8) -> bytes:
    """Return a box `pclr`. columns: (entries, columns), of this number of bits."""
    levels = columns.astype(">u2" if bits > 8 else "u1").tobytes()
    return box(b"pclr", struct.pack(">HB", *columns.shape) + bytes([bits - 1]) * columns.shape[1] + levels)


def _mapped(*channels: tuple[int, int | None]) -> bytes:
    """Return a box `cmap`. channels: for each its component, and its column of the palette or None."""
    parts = [struct.pack(">HBB", component, column is not None, column or 0) for component, column in channels]
    return box(b"cmap", b"".join(parts))


_EQUAL_COLORS = np.array([(200, 100, 50), (200, 100, 50), (255, 0, 0), (0, 255, 0)], np.uint8)
_INDEXES = np.arange(1024, dtype=np.uint8).reshape(32, 32) % 4
_COLUMNS = _mapped((0, 0), (0, 1), (0, 2))


def _jp2_more_palettes() -> Iterator[File]:
    """Yield palettes with equal entries, alpha, few bits, and an alpha beside the palette."""
    shown, stream = _EQUAL_COLORS[_INDEXES], _stream(_INDEXES)
    yield File(_jp2(stream, 1, _palette(_EQUAL_COLORS), _COLUMNS), shown, tolerance=0)
    opacity = np.array([0, 80, 160, 255], np.uint8)
    four = _palette(np.column_stack([_EQUAL_COLORS, opacity]))
    kinds = _meanings((0, 1), (0, 2), (0, 3), (1, 0))
    linked = _mapped((0, 0), (0, 1), (0, 2), (0, 3))
    yield File(_jp2(stream, 1, four, linked, kinds), shown, opacity[_INDEXES])
    few = np.rint(_EQUAL_COLORS * (31 / 255)).astype(np.uint8)
    yield File(_jp2(stream, 1, _palette(few, 5), _COLUMNS), np.rint(few * (255 / 31)).astype(np.uint8)[_INDEXES])
    alpha = np.tile(np.arange(32, dtype=np.uint8) * 8, (32, 1))
    beside = _mapped((0, 0), (0, 1), (0, 2), (1, None))
    yield File(_jp2(_stream(np.dstack([_INDEXES, alpha])), 2, _palette(_EQUAL_COLORS), beside, kinds), shown, alpha)


def _jp2_deep_palettes() -> Iterator[File]:
    stream = _stream(_INDEXES)
    yield File(_jp2(stream, 1, _palette(deep(_EQUAL_COLORS), 16), _COLUMNS), _EQUAL_COLORS[_INDEXES], tolerance=0)
    twelve = np.rint(_EQUAL_COLORS * (4095 / 255)).astype(np.uint16)
    yield File(_jp2(stream, 1, _palette(twelve, 12), _COLUMNS), _EQUAL_COLORS[_INDEXES])


def _with_profile(space: bytes, channels: int, *, method: int = 2, code: int = 0) -> bytes:
    """Return a JP2 file with an ICC profile.

    space: the colour space that the profile states. method: of the box `colr`. code: the colour space of a second box
    `colr`; 0 for none.
    """
    profile = bytearray(build.swapped_profile())
    profile[16:20] = space
    colors = box(b"colr", bytes([method, 0, 0]) + bytes(profile))
    data = _jp2(_stream(np.dstack([ball(), ball()[..., :1]])[..., :channels]), channels, space=code)
    given = box(b"colr", b"\1\0\0" + struct.pack(">I", code))
    return _resized(data, given, colors + given if code else colors)


def _resized(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace a box inside of the box `jp2h`, whose length changes."""
    place = data.index(b"jp2h") - 4
    length = int.from_bytes(data[place : place + 4], "big") + len(new) - len(old)
    data = data[:place] + struct.pack(">I", length) + data[place + 4 :]
    return data.replace(old, new, 1)


def _jp2_palettes() -> Iterator[File]:
    yield from _jp2_more_palettes()
    image = Image.fromarray(ball())
    places = box(b"cmap", b"".join(struct.pack(">HBB", 0, 1, index) for index in range(3)))
    for depth in (4, 8):
        indexes = np.asarray(image.quantize(2**depth))
        colors = np.array(image.quantize(2**depth).getpalette(), np.uint8).reshape(-1, 3)
        palette = box(b"pclr", struct.pack(">HB", len(colors), 3) + b"\7\7\7" + colors.tobytes())
        yield File(_jp2(_stream(indexes, bitspersample=depth), 1, palette, places), colors[indexes])


def _jp2_channels() -> Iterator[File]:
    rgb, alpha = small(), fading()
    yield File(_jp2(_stream(rgb[..., ::-1]), 3, _meanings((0, 3), (0, 2), (0, 1))), rgb)
    first = _meanings((1, 0), (0, 1), (0, 2), (0, 3))
    yield File(_jp2(_stream(np.dstack([alpha, rgb])), 4, first), rgb, alpha)
    unknown = _meanings((0, 1), (0, 2), (0, 3), (65535, 65535))
    yield File(_jp2(_stream(np.dstack([rgb, alpha])), 4, unknown), rgb)
    half = np.full_like(alpha, 128)
    premultiplied = _meanings((0, 1), (0, 2), (0, 3), (2, 0))
    yield File(_jp2(_stream(np.dstack([(rgb.astype(int) * 128 // 255).astype(np.uint8), half])), 4, premultiplied),
               rgb, half, tolerance=2)  # fmt: skip


JPEG = [
    Row("JPEG", "gray, YCbCr of every subsampling, RGB; baseline or progressive; 8 bits", EIGHT, _jpeg_files),
    Row("JPEG", "CMYK, YCCK, 8 bits", AS_SRGB, lambda: [
        File(saved(Image.fromarray(ball()).convert("CMYK"), "JPEG", quality=98), ball(), tolerance=6, lossy=True),
    ], ("cmyk: converted to sRGB",)),
    Row("JPEG", "ICC profile", AS_SRGB, lambda: [
        File(_jpeg(icc_profile=build.swapped_profile(), subsampling=0), swapped(ball()), tolerance=6, lossy=True),
    ], ("icc: converted to sRGB",)),
    Row("JPEG", "missing end marker", "read when all pixels are there", _jpeg_ends, (CUT,)),
    Row("JPEG", "medium gray in the last corner, like missing pixels", EIGHT, lambda: [_jpeg_gray_corner()]),
    Row("JPEG", "missing pixels, also before an end marker", "", _jpeg_cuts, refused="is cut short"),
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

JPEG_XL = [
    Row("JPEG XL", "gray, RGB, RGB with alpha, 8 bits; bare or in a container", EIGHT, lambda: [
        File(imagecodecs.jpegxl_encode(ball(), lossless=True), ball()),
        File(imagecodecs.jpegxl_encode(ball(), lossless=True, usecontainer=True), ball()),
        File(imagecodecs.jpegxl_encode(gray(), lossless=True), three(gray())),
        File(imagecodecs.jpegxl_encode(np.dstack([small(), fading()]), lossless=True), small(), fading()),
    ]),
    Row("JPEG XL", "RGB, 16 bits, with the profile that the decoder gives, here of linear light", AS_SRGB, lambda: [
        one_color(imagecodecs.jpegxl_encode(deep(ball()), lossless=True), (228, 167, 73)),
    ], (DEEP_COLOR, "icc: converted to sRGB")),
    Row("JPEG XL", "gray, 16 bits", AS_SRGB, lambda: [
        one_color(imagecodecs.jpegxl_encode(deep(gray()), lossless=True), gray_of_light(int(gray()[40, 53]))),
    ], (DEEP_GRAY, "icc: converted to sRGB")),
    Row("JPEG XL", "packed from a JPEG without loss, rotated or not", EIGHT, _packed_jpegs, ("*",)),
    Row("JPEG XL", "animation", "the first frame", lambda: [
        File(imagecodecs.jpegxl_encode(np.stack([ball(), 255 - ball()]), lossless=True), ball()),
        File(imagecodecs.jpegxl_encode(np.stack([np.dstack([small(), fading()]), np.zeros((80, 106, 4), np.uint8)]),
                                       lossless=True), small(), fading()),
        *_jxl_animations_of_few_bits(),
    ], ("animated: first frame used",)),
    Row("JPEG XL", "animation of 9 to 16 bits, here of linear light", AS_SRGB, lambda: [
        one_color(_jxl_animation(bits), (228, 167, 73)) for bits in (9, 10, 12, 16)
    ], ("*", "animated: first frame used", "cicp: converted to sRGB")),
    Row("JPEG XL", "animation, cut short behind its first frame", "the first frame", lambda: [
        File((data := _jxl_animation(8))[: len(data) * 3 // 4], ball()),
    ], ("animated: first frame used",)),
    Row("JPEG XL", "animation, cut short in its first frame", "", lambda: [
        (data := _jxl_animation(8))[: len(data) // 4],
    ], refused="damaged|cut short"),
    Row("JPEG XL", "cut short or damaged", "", lambda: [imagecodecs.jpegxl_encode(ball(), lossless=True)[:-2000]],
        refused="damaged|cut short"),
    Row("JPEG XL", "floating-point samples", "", lambda: [
        imagecodecs.jpegxl_encode(ball()[..., 0].astype(np.float32) / 255, lossless=True),
        imagecodecs.jpegxl_encode(ball().astype(np.float32) / 255, lossless=True),
    ], refused="no range to display"),
]  # fmt: skip

JPEG_2000 = [
    Row("JPEG 2000", "gray, RGB, RGB with alpha, 8 bits; JP2 or bare code stream", EIGHT, lambda: [
        File(imagecodecs.jpeg2k_encode(ball(), level=0, codecformat="jp2"), ball()),
        File(imagecodecs.jpeg2k_encode(ball(), level=0, codecformat="j2k"), ball()),
        File(imagecodecs.jpeg2k_encode(gray(), level=0, codecformat="jp2"), three(gray())),
        File(imagecodecs.jpeg2k_encode(np.dstack([small(), fading()]), level=0, codecformat="jp2"), small(), fading()),
        File(saved(ball(), "JPEG2000", irreversible=True, quality_layers=[20]), ball(), tolerance=12, lossy=True),
    ]),
    Row("JPEG 2000", "gray, 9 to 16 bits", TO_EIGHT, lambda: [
        File(imagecodecs.jpeg2k_encode(deep(gray()), level=0, codecformat="jp2"), three(gray())),
    ], (DEEP_GRAY,)),
    Row("JPEG 2000", "RGB, 9 to 16 bits", TO_EIGHT, lambda: [
        File(imagecodecs.jpeg2k_encode(deep(ball()), level=0, codecformat="jp2"), ball()),
    ], (DEEP_COLOR,)),
    Row("JPEG 2000", "gray, RGB, 1 to 7 bits", EIGHT, _jp2_few_bits),
    Row("JPEG 2000", "palette of up to 8 bits, with alpha or without", EIGHT, _jp2_palettes),
    Row("JPEG 2000", "palette of 9 to 16 bits", TO_EIGHT, _jp2_deep_palettes, (DEEP_COLOR,)),
    Row("JPEG 2000", "ICC profile, restricted or any", AS_SRGB, lambda: [
        File(_with_profile(b"RGB ", 3, method=method), swapped(ball()), tolerance=2) for method in (2, 3)
    ], ("icc: converted to sRGB",)),
    Row("JPEG 2000", "channels in any order, alpha premultiplied or not", "8 bits, sRGB, with alpha", _jp2_channels),
    Row("JPEG 2000", "sYCC", EIGHT, lambda: [
        File(_jp2(_stream(np.asarray(Image.fromarray(ball()).convert("YCbCr")), mct=False), 3, space=18), ball(),
             tolerance=3),
    ]),
    Row("JPEG 2000", "missing end marker", "read when all pixels are there", lambda: [
        File(data[:-missing], ball()) for missing in (1, 2) for data in (_stream(ball()), _jp2(_stream(ball()), 3))
    ], (CUT,)),
    Row("JPEG 2000", "missing pixels", "", lambda: [_stream(ball())[:-40], _jp2(_stream(ball()), 3)[:-2000]],
        refused="is cut short|is damaged"),
    Row("JPEG 2000", "CMYK, CIELAB and other colour spaces, also by an ICC profile", "", lambda: [
        _with_profile(b"CMYK", 4),
        _with_profile(b"CMYK", 4, method=3),
        _with_profile(b"CMYK", 4, code=12),
        _with_profile(b"Lab ", 3),
        _jp2(_stream(ball()), 3, space=14),
        _jp2(_stream(np.dstack([ball(), ball()[..., :1]])), 4, space=12),
        _jp2(_stream(ball()), 3, space=21),
    ], refused="colours, which are not supported"),
    Row("JPEG 2000", "more than four channels", "", lambda: [_stream(np.dstack([ball(), ball()[..., :2]]))],
        refused="channels, which is not supported"),
]  # fmt: skip
