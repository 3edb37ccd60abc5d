"""The rows for WebP, HEIC, AVIF, BMP and GIF in the table of docs/formats.md."""

from __future__ import annotations

from collections.abc import Iterator

import imagecodecs
import numpy as np
from PIL import Image

from tests.segmentation.formats import build
from tests.segmentation.formats.build import ball, bmp, deep, fading, saved, small
from tests.segmentation.formats.rows.row import (
    AS_SRGB,
    CUT,
    EIGHT,
    RED,
    File,
    Row,
    animated,
    gray,
    one_color,
    swapped,
    three,
)


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
    yield File(saved(Image.fromarray(gray()), "BMP"), three(gray()))
    image = Image.fromarray(small()).quantize(200)
    yield File(saved(image, "BMP"), np.asarray(image.convert("RGB")))
    bits = Image.fromarray(gray() > 128)
    yield File(saved(bits, "BMP"), np.asarray(bits.convert("RGB")))
    rgba = np.dstack([small(), fading()])
    yield File(saved(Image.fromarray(rgba), "BMP"), small())  # the fourth byte has no meaning there
    yield File(build.bmp_with_alpha(rgba), small(), fading())


OTHERS = [
    Row("WebP", "lossy or lossless, with alpha or without", EIGHT, _webps),
    Row("WebP", "ICC profile", AS_SRGB, lambda: [
        File(saved(small(), "WEBP", lossless=True, icc_profile=build.swapped_profile()), swapped(small())),
    ], ("icc: converted to sRGB",)),
    Row("WebP", "metadata cut off behind the pixels", "read", _webp_ends, (CUT,)),
    Row("WebP", "animation", "the first frame", lambda: [one_color(animated("WEBP"), RED, 4)],
        ("animated: first of 3 frames used",)),
    Row("WebP", "missing pixels", "", lambda: [saved(ball(), "WEBP")[:-50]], refused="is cut short|is damaged"),
    Row("HEIC", "8 or 10 bits, with alpha or without", EIGHT, lambda: [
        File(build.heic(ball()), ball(), tolerance=6, lossy=True),
        File(build.heic(np.dstack([ball(), fading(240, 320)])), ball(), fading(240, 320), tolerance=6, lossy=True),
    ]),
    Row("HEIC", "`nclx` colours such as Display P3", AS_SRGB, lambda: [
        one_color(build.heic(ball(), color_primaries=12, transfer_characteristics=13), (212, 92, 0), 4),
    ], ("cicp: converted to sRGB",)),
    Row("HEIC", "cut short", "", lambda: [build.heic(ball())[:-200]], refused="is cut short|is damaged"),
    Row("AVIF", "8, 10 or 12 bits, every subsampling, with alpha or without", EIGHT, _avifs),
    Row("AVIF", "`nclx` colours such as Display P3; video curves count as sRGB, as in browsers", AS_SRGB, lambda: [
        one_color(build.avif(ball(), 12, 13), (212, 92, 0), 4),
        one_color(build.avif(ball(), 9, 14, 9), (236, 76, 0), 4),
        one_color(build.avif(ball(), 1, 8), (228, 167, 73), 4),
        one_color(build.avif(ball(), 12, 13).replace(b"colrnclx", b"freenclx"), (212, 92, 0), 4),
    ], ("cicp: converted to sRGB",)),
    Row("AVIF", "PQ or HLG (HDR)", "tone-mapped to sRGB", lambda: [
        one_color(build.avif(np.full((32, 32, 3), (120, 60, 30), np.uint8), 9, 16, 9), (143, 0, 0), 5),
    ], ("hdr: PQ tone-mapped to sRGB",)),
    Row("AVIF", "animation", "the first frame", lambda: [one_color(animated("AVIF"), RED, 6)],
        ("animated: first of 3 frames used",)),
    Row("BMP", "1, 4, 8, 16, 24 or 32 bits, also run-length encoded", EIGHT, _bmps),
    Row("BMP", "ICC profile", AS_SRGB, lambda: [
        File(build.bmp_with_profile(ball(), build.swapped_profile()), swapped(ball()), tolerance=2),
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
    Row("GIF", "animation", "the first frame", lambda: [one_color(animated("GIF"), RED)],
        ("animated: first frame used",)),
    Row("GIF", "missing end", "read when all pixels are there", lambda: [
        File(saved(image := Image.fromarray(small()).quantize(64), "GIF")[:-1], np.asarray(image.convert("RGB"))),
        File(saved(image, "GIF")[:-2], np.asarray(image.convert("RGB"))),
    ], (CUT,)),
    Row("GIF", "missing pixels", "", lambda: [saved(Image.fromarray(small()).quantize(64), "GIF")[:-60]],
        refused="is cut short"),
]  # fmt: skip
