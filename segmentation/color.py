"""Convert every colour model and depth that a file may hold to 8-bit sRGB and a float alpha."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms

from .errors import ImageUnreadable

_SRGB = ImageCms.createProfile("sRGB")
_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}
_PROBE_LEVELS = (0, 32, 64, 96, 128, 160, 192, 224, 255)
# Rounding in a profile's tables moves colours by a level or two: a smaller change is not worth a conversion.
_SAME_COLOR_LEVELS = 2


class Colors(NamedTuple):
    """Hold a picture as stored (not yet upright): rgb (H, W, 3) uint8 sRGB, alpha (H, W) float32 0..1 or None."""

    rgb: np.ndarray
    alpha: np.ndarray | None
    notes: tuple[str, ...]


def to_srgb(image: Image.Image) -> Colors:
    """Convert a loaded Pillow image of any mode; raise ImageUnreadable for samples without a display range."""
    profile = image.info.get("icc_profile")
    image, alpha, depth_notes = _eight_bit(image)
    rgb, color_notes = _apply_profile(image, profile)
    if alpha is not None and alpha.min() == 255:
        alpha = None
    alpha = None if alpha is None else alpha.astype(np.float32) / 255
    return Colors(rgb, alpha, depth_notes + color_notes)


def require_range(image: Image.Image) -> None:
    """Raise ImageUnreadable for a picture whose samples have no range to display."""
    if image.mode in ("I", "F"):
        kind = "floating-point" if image.mode == "F" else "signed or 32-bit"
        raise ImageUnreadable(
            f"The picture holds {kind} samples, which have no range to display. Save it with 8 or 16 bits a channel."
        )


def _eight_bit(image: Image.Image) -> tuple[Image.Image, np.ndarray | None, tuple[str, ...]]:
    """Split an image into colours (mode L, RGB, CMYK or LAB), alpha (H, W) uint8 or None, and notes."""
    if image.mode.startswith("I;16"):
        gray, alpha = _scale_deep_gray(image)
        return gray, alpha, ("depth: 16-bit gray scaled to 8 bits",)
    require_range(image)
    if image.mode in ("L", "RGB", "CMYK", "LAB") and "transparency" not in image.info:
        return image, None, ()
    if image.mode in ("1", "YCbCr", "HSV", "RGBX") and "transparency" not in image.info:
        return image.convert("L" if image.mode == "1" else "RGB"), None, ()
    if image.mode in ("LA", "La"):
        image = image.convert("LA")
        return image.getchannel("L"), np.asarray(image.getchannel("A")), ()
    rgba = image.convert("RGBA")
    return rgba.convert("RGB"), np.asarray(rgba.getchannel("A")), ()


def _scale_deep_gray(image: Image.Image) -> tuple[Image.Image, np.ndarray | None]:
    """Scale 12- or 16-bit gray to 8 bits; Pillow's own conversion clips values above 255."""
    values = np.asarray(image).astype(np.uint16)
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(258, (16,))[0]  # BitsPerSample, TIFF 6.0
    gray = np.rint(values * (255 / (2**bits - 1))).clip(0, 255).astype(np.uint8)
    if tags.get(262) == 0:  # PhotometricInterpretation WhiteIsZero
        gray = 255 - gray
    key = image.info.get("transparency")
    alpha = np.where(values == key, 0, 255).astype(np.uint8) if isinstance(key, int) else None
    return Image.fromarray(gray), alpha


def _apply_profile(image: Image.Image, profile: bytes | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Convert to sRGB by the embedded ICC profile; ignore a broken profile or one of another colour space."""
    if image.mode == "LAB" and not profile:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    notes: tuple[str, ...] = ("cmyk: converted to sRGB",) if image.mode == "CMYK" else ()
    if profile:
        try:
            transform = _transform_of(profile, image.mode)
        except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
            notes += ("icc: broken profile ignored",)
        else:
            if transform is not None:
                converted = np.asarray(ImageCms.applyTransform(image, transform))
                return converted, notes or ("icc: converted to sRGB",)
    if image.mode == "LAB":
        raise ImageUnreadable("The picture's Lab colours come with a broken profile and cannot be shown.")
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB")), notes


def _transform_of(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Build the transform from `profile` to sRGB, or None when the change would be invisible."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if source.profile.xcolor_space != _SPACES[mode]:
        raise ValueError("the profile is meant for another colour space")
    transform = ImageCms.buildTransform(
        source,
        _SRGB,
        mode,
        "RGB",
        # Relative colorimetric with black point compensation: the default of the large editors.
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return None if mode in ("RGB", "L") and _changes_nothing(transform, mode) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Test the transform on a grid of colours: most profiles in real files are sRGB under various names."""
    levels = np.array(_PROBE_LEVELS, np.uint8)
    axes = np.meshgrid(*[levels] * len(mode))
    sample = Image.fromarray(np.stack(axes, -1).reshape(1, -1, len(mode)).squeeze(-1 if mode == "L" else ()))
    after = np.asarray(ImageCms.applyTransform(sample, transform)).astype(int)
    before = np.asarray(sample.convert("RGB")).astype(int)
    return int(np.abs(after - before).max()) <= _SAME_COLOR_LEVELS
