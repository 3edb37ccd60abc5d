"""Conversion of samples (stored pixel values) of all supported colour models, bit depths and encodings to 8-bit sRGB.

An alpha channel is converted to float.
"""

from __future__ import annotations

import io
from functools import cache
from typing import NamedTuple

import imagecodecs
import numpy as np
from PIL import Image, ImageCms

from segmentation import encoding
from segmentation.errors import ImageUnreadable
from segmentation.formats.opened import Samples

_SRGB = ImageCms.createProfile("sRGB")
_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}
_MODES = {"gray": "L", "rgb": "RGB", "cmyk": "CMYK", "lab": "LAB"}
_PROBE_LEVELS = (0, 32, 64, 96, 128, 160, 192, 224, 255)
# Rounding in a profile's tables changes colours by one or two levels; smaller changes need no conversion.
_SAME_COLOR_LEVELS = 2
# Relative colorimetric with black point compensation: the default of the common editors.
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_BROKEN = "icc: broken profile ignored"
_PROFILE_ERRORS = (OSError, ValueError, TypeError, ImageCms.PyCMSError)
_STRIP_PIXELS = 1 << 20  # limits the memory of a 16-bit conversion


class Colors(NamedTuple):
    """The colours and the alpha of a decoded picture, before the EXIF rotation is applied.

    rgb: (H, W, 3) uint8 sRGB.
    alpha: (H, W) float32 0..1, or None for an opaque picture.
    notes: one sentence for the user for each conversion that was applied.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    notes: tuple[str, ...]


def to_srgb(samples: Samples) -> Colors:
    """Return decoded samples converted to sRGB, with an alpha of 0..1, or an alpha of None if every pixel is opaque.

    Raise ImageUnreadable for CIELAB samples with a broken profile.
    """
    rgb, notes = _converted(samples)
    alpha = samples.alpha
    if alpha is not None and alpha.min() == np.iinfo(alpha.dtype).max:
        alpha = None
    if alpha is not None:
        alpha = alpha.astype(np.float32) / np.float32(np.iinfo(alpha.dtype).max)
    return Colors(rgb, alpha, samples.notes + notes)


def _converted(samples: Samples) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the colours of decoded samples, converted to (H, W, 3) uint8 sRGB, and notes about the conversion.

    Use the ICC profile if it is valid. Otherwise use the colour encoding that the file states, if it states one.
    """
    mode = _MODES[samples.model]
    profile = samples.profile
    notes: tuple[str, ...] = ()
    if mode == "CMYK":
        notes = ("cmyk: converted to sRGB",)
    elif mode == "LAB":
        notes = ("lab: converted to sRGB",)
        profile = profile or _lab_profile()
    if profile:
        try:
            converted = _by_profile(samples.pixels, profile, mode)
        except _PROFILE_ERRORS:
            notes += (_BROKEN,)
        else:
            return (_plain(samples), notes) if converted is None else (converted, notes or ("icc: converted to sRGB",))
    if mode == "LAB":
        raise ImageUnreadable("The picture's Lab colours come with a broken profile and cannot be shown.")
    if samples.encoding is not None and mode in ("L", "RGB"):
        encoded = encoding.convert(samples.pixels, samples.encoding)
        if encoded is not None:
            return _three_channels(encoded), (*notes, samples.encoding.note)
    return _plain(samples), notes


def _plain(samples: Samples) -> np.ndarray:
    """Return the samples as (H, W, 3) uint8, without using a colour profile."""
    pixels = to_eight_bits(samples.pixels)
    if samples.model == "cmyk":
        return np.asarray(Image.fromarray(pixels, "CMYK").convert("RGB"))
    return _three_channels(pixels)


def to_eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Return samples, (H, W) or (H, W, C) uint8 or uint16, as uint8.

    uint16 samples are scaled from 0..65535 to 0..255 and rounded. uint8 samples are returned unchanged.
    """
    if pixels.dtype == np.uint8:
        return pixels
    table = _eight_bit_table()
    return table.take(pixels)


@cache
def _eight_bit_table() -> np.ndarray:
    return ((np.arange(65536, dtype=np.uint32) + 128) // 257).astype(np.uint8)


def _three_channels(pixels: np.ndarray) -> np.ndarray:
    return np.dstack([pixels] * 3) if pixels.ndim == 2 else pixels


@cache
def _lab_profile() -> bytes:
    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())


@cache
def _srgb_profile() -> bytes:
    return bytes(ImageCms.ImageCmsProfile(_SRGB).tobytes())


def _by_profile(pixels: np.ndarray, profile: bytes, mode: str) -> np.ndarray | None:
    """Return the samples converted to sRGB by an ICC profile; None if no change would be visible.

    mode: the Pillow mode of the samples.

    Raise one of _PROFILE_ERRORS for an unusable profile.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if mode == "L" and source.profile.xcolor_space == _SPACES["RGB"]:
        mode, pixels = "RGB", _three_channels(pixels)  # gray pictures often contain the profile of a colour space
    if source.profile.xcolor_space != _SPACES[mode]:
        raise ValueError("the profile is meant for another colour space")
    transform = ImageCms.buildTransform(source, _SRGB, mode, "RGB", renderingIntent=_INTENT, flags=_FLAGS)
    if mode in ("RGB", "L") and _changes_nothing(transform, mode):
        return None
    if pixels.dtype == np.uint16 and mode in ("RGB", "L"):
        return _deep_by_profile(pixels, profile)
    pixels = to_eight_bits(pixels)
    if mode == "LAB":
        pixels = pixels ^ np.array((0, 128, 128), np.uint8)  # Pillow's arrays have signed a and b
    image = Image.fromarray(pixels, mode)
    return np.asarray(ImageCms.applyTransform(image, transform))


def _deep_by_profile(pixels: np.ndarray, profile: bytes) -> np.ndarray:
    """Convert 16-bit samples, (H, W) or (H, W, 3) uint16, to (H, W, 3) uint8 sRGB by an ICC profile.

    Pillow cannot convert 16-bit samples, so this function uses imagecodecs. Raise ValueError for an unusable profile.
    """
    result = np.empty((*pixels.shape[:2], 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // pixels.shape[1])
    for top in range(0, pixels.shape[0], rows):
        try:
            result[top : top + rows] = imagecodecs.cms_transform(
                np.ascontiguousarray(pixels[top : top + rows]),
                profile,
                _srgb_profile(),
                colorspace="rgb" if pixels.ndim == 3 else "gray",
                outcolorspace="rgb",
                outdtype=np.uint8,
                intent=int(_INTENT),
                flags=int(_FLAGS),
            )
        except (RuntimeError, ValueError) as error:
            raise ValueError(str(error)) from error
    return result


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Return whether a transform changes no colour of a coarse grid of test colours by more than _SAME_COLOR_LEVELS.

    Many embedded profiles describe sRGB under another name. Pictures with such a profile need no conversion.
    """
    levels = np.array(_PROBE_LEVELS, np.uint8)
    axes = np.meshgrid(*[levels] * len(mode))
    sample = Image.fromarray(np.stack(axes, -1).reshape(1, -1, len(mode)).squeeze(-1 if mode == "L" else ()))
    after = np.asarray(ImageCms.applyTransform(sample, transform)).astype(int)
    before = np.asarray(sample.convert("RGB")).astype(int)
    return int(np.abs(after - before).max()) <= _SAME_COLOR_LEVELS
