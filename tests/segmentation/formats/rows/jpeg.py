"""The rows for JPEG, JPEG XL and JPEG 2000 in the table of docs/formats.md."""

from __future__ import annotations

from collections.abc import Iterator

import imagecodecs
import numpy as np
from PIL import Image

from tests.segmentation.formats import build
from tests.segmentation.formats.build import ball, deep, fading, saved, small
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


JPEG = [
    Row("JPEG", "gray, YCbCr of every subsampling, RGB; baseline or progressive; 8 bits", EIGHT, _jpeg_files),
    Row("JPEG", "CMYK, YCCK, 8 bits", AS_SRGB, lambda: [
        File(saved(Image.fromarray(ball()).convert("CMYK"), "JPEG", quality=98), ball(), tolerance=6, lossy=True),
    ], ("cmyk: converted to sRGB",)),
    Row("JPEG", "ICC profile", AS_SRGB, lambda: [
        File(_jpeg(icc_profile=build.swapped_profile(), subsampling=0), swapped(ball()), tolerance=6, lossy=True),
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

JPEG_XL = [
    Row("JPEG XL", "gray, RGB, RGB with alpha, 8 bits; bare or in a container", EIGHT, lambda: [
        File(imagecodecs.jpegxl_encode(ball(), lossless=True), ball()),
        File(imagecodecs.jpegxl_encode(ball(), lossless=True, usecontainer=True), ball()),
        File(imagecodecs.jpegxl_encode(gray(), lossless=True), three(gray())),
        File(imagecodecs.jpegxl_encode(np.dstack([small(), fading()]), lossless=True), small(), fading()),
    ]),
    Row("JPEG XL", "RGB, 16 bits, with the profile that the decoder gives, here of linear light", AS_SRGB, lambda: [
        one_color(imagecodecs.jpegxl_encode(deep(ball()), lossless=True), (228, 167, 73)),
    ], ("icc: converted to sRGB",)),
    Row("JPEG XL", "gray, 16 bits", AS_SRGB, lambda: [
        one_color(imagecodecs.jpegxl_encode(deep(gray()), lossless=True), gray_of_light(int(gray()[40, 53]))),
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
]  # fmt: skip
