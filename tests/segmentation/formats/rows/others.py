"""The rows for WebP, HEIC, AVIF and GIF in the table of docs/formats.md."""

from __future__ import annotations

from collections.abc import Iterator

import imagecodecs
import numpy as np
from PIL import Image

from tests.segmentation.formats import build
from tests.segmentation.formats.build import ball, deep, fading, saved, small
from tests.segmentation.formats.build_heic import heic_grid
from tests.segmentation.formats.rows.row import (
    AS_SRGB,
    CUT,
    EIGHT,
    RED,
    File,
    Row,
    animated,
    one_color,
    swapped,
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


def _webp_part() -> File:
    """Return a WebP whose first frame does not fill the canvas."""
    rgb, alpha = np.zeros_like(small()), np.zeros(small().shape[:2], np.uint8)
    frame = small()[:40, :50]
    rgb[10:50, 20:70], alpha[10:50, 20:70] = frame, 255
    return File(build.webp_of_frames((106, 80), (20, 10, frame), (0, 0, frame)), rgb, alpha)


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


def _heics() -> Iterator[File]:
    yield File(build.heic(ball()), ball(), tolerance=6, lossy=True)
    yield File(build.heic(np.dstack([ball(), fading(240, 320)])), ball(), fading(240, 320), tolerance=6, lossy=True)
    yield File(build.heic_of_more_bits(deep(ball())), ball(), tolerance=6, lossy=True)
    yield File(heic_grid(ball()), np.hstack([ball(), ball()]), tolerance=6, lossy=True)


def _gifs() -> Iterator[File]:
    image = Image.fromarray(small()).quantize(64)
    rgb = np.asarray(image.convert("RGB"))
    yield File(saved(image, "GIF"), rgb)
    is_key = np.asarray(image) == 5
    yield File(saved(image, "GIF", transparency=5), rgb, np.where(is_key, 0, 255).astype(np.uint8))
    yield File(build.gif(4, 4, build.gif_frame(0, 0, 4, 4, interlaced=True)), build.GIF_INTERLACED)


def _gif_parts() -> Iterator[File]:
    """Yield GIFs whose first frame does not fill the canvas. Of two graphic controls, the last one applies."""
    rgb, alpha = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8)
    rgb[1:3, 1:3], alpha[1:3, 1:3] = build.GIF_COLORS.reshape(2, 2, 3), 255
    yield File(build.gif(4, 4, build.gif_frame(1, 1, 2, 2)), rgb, alpha)
    keyed = alpha.copy()
    keyed[2, 2] = 0
    yield File(build.gif(4, 4, build.gif_control(3) + build.gif_frame(1, 1, 2, 2)), rgb, keyed)
    yield File(
        build.gif(4, 4, build.gif_control(3) + build.gif_control(None) + build.gif_frame(1, 1, 2, 2)), rgb, alpha
    )


OTHERS = [
    Row("WebP", "lossy or lossless, with alpha or without", EIGHT, _webps),
    Row("WebP", "ICC profile", AS_SRGB, lambda: [
        File(saved(small(), "WEBP", lossless=True, icc_profile=build.swapped_profile()), swapped(small())),
    ], ("icc: converted to sRGB",)),
    Row("WebP", "metadata cut off behind the pixels", "read", _webp_ends, (CUT,)),
    Row("WebP", "animation", "the first frame", lambda: [one_color(animated("WEBP"), RED, 4)],
        ("animated: first of 3 frames used",)),
    Row("WebP", "first frame smaller than the picture", "transparent around the frame", lambda: [_webp_part()], ("*",)),
    Row("WebP", "missing pixels", "", lambda: [saved(ball(), "WEBP")[:-50]], refused="is cut short|is damaged"),
    Row("HEIC", "8 or 10 bits, with alpha or without; a grid of tiles, with a thumbnail of any coding", EIGHT, _heics),
    Row("HEIC", "`nclx` colours such as Display P3", AS_SRGB, lambda: [
        one_color(build.heic(ball(), color_primaries=12, transfer_characteristics=13), (212, 92, 0), 4),
    ], ("cicp: converted to sRGB",)),
    Row("HEIC", "PQ or HLG (HDR)", "tone-mapped to sRGB", lambda: [
        one_color(build.heic(np.full((32, 32, 3), (120, 60, 30), np.uint8),
                             color_primaries=9, transfer_characteristics=16), (143, 0, 0), 6),
    ], ("hdr: PQ tone-mapped to sRGB",)),
    Row("HEIC", "coded as AVC, VVC, EVC, JPEG, JPEG 2000 or uncompressed samples (HEIF)", "", lambda: [
        build.heic(small()).replace(b"hvc1", coding) for coding in (b"avc1", b"vvc1", b"jpeg", b"j2k1", b"unci")
    ], refused="is coded as .*, which is not supported"),
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
    Row("GIF", "palette, with its transparent colour", EIGHT, _gifs, ("*",)),
    Row("GIF", "first frame smaller than the picture", "transparent around the frame", _gif_parts),
    Row("GIF", "animation", "the first frame", lambda: [one_color(animated("GIF"), RED)],
        ("animated: first frame used",)),
    Row("GIF", "missing end", "read when all pixels are there", lambda: [
        File(saved(image := Image.fromarray(small()).quantize(64), "GIF")[:-1], np.asarray(image.convert("RGB"))),
        File(saved(image, "GIF")[:-2], np.asarray(image.convert("RGB"))),
    ], (CUT,)),
    Row("GIF", "missing pixels", "", lambda: [saved(Image.fromarray(small()).quantize(64), "GIF")[:-60]],
        refused="is cut short"),
]  # fmt: skip
