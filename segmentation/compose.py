"""Composition of colour and alpha, cropping to the subject, and rendering of the result files."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .encode import NOTHING_KEPT, Kept, encode_jpeg, encode_png, encode_webp, join_alpha
from .options import Box, Color, CutoutOptions, Format, Output
from .resizing import shrink

WHITE = Color(255, 255, 255)
THUMBNAIL_SIDE_PX = 384
PREVIEW_SIDE_PX = 2048  # a screen's width
PREVIEW_QUALITY = 85

_TYPES = {Format.PNG: ("image/png", ".png"), Format.JPEG: ("image/jpeg", ".jpg"), Format.WEBP: ("image/webp", ".webp")}


@dataclass(frozen=True, slots=True)
class Rendered:
    """One encoded file of a result.

    extension: the file name's extension, including the dot.
    width, height: the picture's size in pixels.
    """

    kind: Output
    data: bytes
    content_type: str
    extension: str
    width: int
    height: int


def crop_box(foreground: Box | None, margin: float, width: int, height: int) -> Box:
    """Return the subject's box enlarged on each side by `margin` times the box's longer side, clipped to the picture.

    foreground: the subject's box; if None, return the box of the whole picture.
    width, height: the picture's size in pixels.
    """
    if foreground is None:
        return Box(0, 0, max(width, 2), max(height, 2))
    grown = grow_box(foreground, margin)
    return grown.clipped(width, height)


def grow_box(box: Box, margin: float) -> Box:
    """Return a box enlarged on each side by `margin` times its longer side, in whole pixels.

    The result may extend beyond the picture.
    """
    extra = round(margin * max(box.right - box.left, box.bottom - box.top))
    return Box(box.left - extra, box.top - extra, box.right + extra, box.bottom + extra)


def cut(pixels: np.ndarray, box: Box) -> np.ndarray:
    """Return the part of an array (H, W, ...) inside a box, as a view without a copy."""
    return pixels[box.top : box.bottom, box.left : box.right]


def composite(rgb: np.ndarray, alpha: np.ndarray, background: Color) -> np.ndarray:
    """Return a picture, (H, W, 3) uint8, drawn over a plain colour: rgb * a + background * (1 - a), rounded.

    alpha: (H, W) uint8; a = alpha / 255.
    """
    back = np.array([background.red, background.green, background.blue], np.uint8)
    drawn = np.empty_like(rgb)
    drawn[:] = back
    cv2.copyTo(rgb, alpha, drawn)
    # Most pixels have alpha 0 or 255; only the others are computed.
    places = np.flatnonzero((alpha > 0) & (alpha < 255))
    share = alpha.reshape(-1).take(places).astype(np.float32)[:, None] / 255
    mixed = drawn.reshape(-1, 3).take(places, axis=0) * share + back * (1 - share)
    drawn.reshape(-1, 3)[places] = np.rint(mixed)
    return drawn


def render_cutout(
    rgb: np.ndarray,
    alpha: np.ndarray,
    options: CutoutOptions,
    *,
    kept: Kept = NOTHING_KEPT,
    is_small: bool = False,
) -> Rendered:
    """Encode the cutout in `options.format`, transparent or on the colour `options.background`.

    JPEG has no transparency, so its default background is white.

    rgb: (H, W, 3) uint8 sRGB.
    alpha: (H, W) uint8.
    kept: the source's metadata to write into the file.
    is_small: encode WebP faster, with lossy alpha (see `encode_webp`).

    Raise InvalidParameter if the picture is too large for the format.
    """
    background = options.background
    if options.format is Format.JPEG:
        background = background or WHITE
    if background is not None:
        rgb = composite(rgb, alpha, background)
    shown = alpha if background is None else None
    match options.format:
        case Format.PNG:
            data = encode_png(rgb, shown, kept=kept)
        case Format.WEBP:
            pixels = rgb if shown is None else join_alpha(rgb, shown)
            data = encode_webp(pixels, kept=kept, is_small=is_small)
        case Format.JPEG:
            data = encode_jpeg(rgb, kept=kept)
    return _rendered(Output.CUTOUT, data, options.format, rgb)


def render_gray(kind: Output, levels: np.ndarray, *, kept: Kept = NOTHING_KEPT) -> Rendered:
    """Encode a mask or an instance map (each pixel is a person's number), (H, W) uint8, as an 8-bit gray PNG.

    kind: the kind of file in the result.
    kept: the source's metadata to write.
    """
    return _rendered(kind, encode_png(levels, kept=kept), Format.PNG, levels)


def render_picture(kind: Output, rgb: np.ndarray, *, kept: Kept = NOTHING_KEPT) -> Rendered:
    """Encode an opaque picture, (H, W, 3) uint8, as PNG.

    kind: the kind of file in the result.
    kept: the source's metadata to write.
    """
    return _rendered(kind, encode_png(rgb, kept=kept), Format.PNG, rgb)


def render_thumbnail(rgb: np.ndarray, alpha: np.ndarray) -> Rendered:
    """Encode a small cutout as WebP with alpha. Its longer side is at most THUMBNAIL_SIDE_PX.

    rgb: (H, W, 3) uint8 sRGB.
    alpha: (H, W) uint8.

    Colours are averaged with alpha as the weight, so that colours of the removed background do not appear at the
    subject's edge.
    """
    pixels = _shrunk(rgb, alpha, THUMBNAIL_SIDE_PX)
    return _rendered(Output.CUTOUT, encode_webp(pixels, is_small=True), Format.WEBP, pixels)


def render_preview(rgb: np.ndarray, alpha: np.ndarray | None) -> Rendered:
    """Encode a small copy of the source as JPEG, or as WebP if it has alpha.

    The longer side of the copy is at most PREVIEW_SIDE_PX.

    rgb: the source after the EXIF rotation, (H, W, 3) uint8 sRGB.
    alpha: (H, W) uint8, or None for an opaque picture.
    """
    if alpha is not None:
        pixels = _shrunk(rgb, alpha, PREVIEW_SIDE_PX)
        return _rendered(Output.VISUALIZATION, encode_webp(pixels, PREVIEW_QUALITY), Format.WEBP, pixels)
    pixels = shrink(rgb, *_size_within(rgb, PREVIEW_SIDE_PX), exact=False)
    return _rendered(Output.VISUALIZATION, encode_jpeg(pixels, PREVIEW_QUALITY), Format.JPEG, pixels)


def _size_within(plane: np.ndarray, side_px: int) -> tuple[int, int]:
    """Return height and width of a picture's plane, in pixels, reduced so that the longer side is at most `side_px`."""
    height, width = plane.shape[:2]
    scale = min(1.0, side_px / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _shrunk(rgb: np.ndarray, alpha: np.ndarray, side_px: int) -> np.ndarray:
    """Return colours (H, W, 3) and alpha (H, W), uint8, as one RGBA array whose longer side is at most `side_px`."""
    height, width = _size_within(alpha, side_px)
    # Averaging alone is fast; the colours are weighted once few pixels are left.
    rgb, alpha = (shrink(plane, *_size_within(plane, 2 * side_px), exact=False) for plane in (rgb, alpha))
    weighted = cv2.multiply(rgb, cv2.merge([alpha] * 3), scale=1 / 255)
    small_alpha = shrink(alpha, height, width)
    small_rgb = cv2.divide(shrink(weighted, height, width), cv2.merge([small_alpha] * 3), scale=255)
    return join_alpha(small_rgb, small_alpha)


def _rendered(kind: Output, data: bytes, file_format: Format, pixels: np.ndarray) -> Rendered:
    content_type, extension = _TYPES[file_format]
    height, width = pixels.shape[:2]
    return Rendered(kind, data, content_type, extension, width, height)
