"""Adaptation of the subject to its new background in four steps: keying, despill, film grain and light wrap.

- Keying computes alpha from the colour of a uniform background.
- Despill removes the old background's hue from the edge.
- Film grain is the photo's noise, which is added to the new background.
- Light wrap is the light of a bright background along the edge.

The functions take colours, (H, W, 3) uint8 sRGB, and alpha, (H, W) uint8. They return new arrays or, if nothing
changes, the given arrays. They do not change their arguments.
"""

from __future__ import annotations

import cv2
import numpy as np

BACKGROUND_LEVEL = 5  # up to this alpha, a pixel belongs to the background
_UNIFORM_DEVIATION = 9.0  # largest spread, in Lab units, of a background that counts as one colour
_LEAST_CHROMA = 12.0  # least chroma, in Lab units, of a background whose spill is removed
_SPILL_REACH = 0.02  # as a share of the picture's longer side: the width of the edge that may contain spill
_MOST_SPILL = 0.5  # spill above this share of the background's chroma is the subject's own colour
_GRAIN_SEED = 20


def background_color(rgb: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the median colour of the original background, (3,) float32 in CIE Lab, and its spread.

    rgb: the photo, (H, W, 3) uint8.
    alpha: (H, W) uint8.

    The spread is the 75th percentile of the distances, in Lab units, between the background's pixels and the median. It
    is infinite if almost no pixels belong to the background.
    """
    factor = min(1.0, 256 / max(alpha.shape))
    size = max(1, round(alpha.shape[1] * factor)), max(1, round(alpha.shape[0] * factor))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    outside = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) <= BACKGROUND_LEVEL
    if outside.sum() < 32:
        return np.zeros(3, np.float32), float("inf")
    pixels = to_lab(small)[outside]
    color = np.median(pixels, axis=0).astype(np.float32)
    stray = float(np.percentile(np.linalg.norm(pixels - color, axis=1), 75))
    return color, stray


def key_alpha(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return alpha, (H, W) uint8, refined by colour if the background has one uniform colour, else unchanged.

    rgb: the photo, (H, W, 3) uint8.

    In the band around the edge, each pixel I is a mixture of the background colour B and the nearest certain foreground
    colour F. The least-squares solution is alpha = (I - B) . (F - B) / |F - B|^2 (Smith and Blinn, "Blue Screen
    Matting", 1996, for one known background). Where F is similar to B, the model's alpha is kept.
    """
    color, stray = background_color(rgb, alpha)
    if stray > _UNIFORM_DEVIATION:
        return alpha
    reach = max(2, round(0.006 * max(alpha.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    sure = cv2.erode((alpha > 250).view(np.uint8), kernel)
    near = cv2.dilate((alpha > BACKGROUND_LEVEL).view(np.uint8), kernel)
    left, top, width, height = cv2.boundingRect(near)
    if width == 0 or not sure.any():
        return alpha
    window = slice(top, top + height), slice(left, left + width)
    lab = to_lab(rgb[window])
    weight = sure[window].astype(np.float32)
    size = (8 * reach + 1, 8 * reach + 1)
    share = cv2.blur(weight, size)
    front = cv2.blur(lab * weight[:, :, None], size) / np.maximum(share, 1e-4)[:, :, None]
    towards = front - color
    length = (towards**2).sum(axis=2)
    keyed = ((lab - color) * towards).sum(axis=2) / np.maximum(length, 1e-4)
    trusted = np.clip((np.sqrt(length) - 2 * _UNIFORM_DEVIATION) / _UNIFORM_DEVIATION, 0, 1) * (share > 1e-3)
    band = (near[window] > 0) & (sure[window] == 0)
    old = alpha[window].astype(np.float32) / 255
    mixed = np.where(band, old + (np.clip(keyed, 0, 1) - old) * trusted, old)
    refined = alpha.copy()
    refined[window] = np.rint(mixed * 255)
    return refined


def despill(rgb: np.ndarray, alpha: np.ndarray, source: np.ndarray | None = None) -> np.ndarray:
    """Remove the old background's hue from the subject near its edge. Lightness and alpha do not change.

    rgb: the cutout's colours, (H, W, 3) uint8.
    alpha: (H, W) uint8.
    source: the original photo, by default `rgb`.

    The function works for any background colour. In Lab, the chroma of a pixel in the direction of the background's hue
    is limited to the typical value of the subject's inner pixels. If the background is nearly gray, return `rgb`
    unchanged.
    """
    color, _ = background_color(rgb if source is None else source, alpha)
    hue = color[1:]
    chroma = float(np.linalg.norm(hue))
    if chroma < _LEAST_CHROMA:
        return rgb
    reach = max(3, round(_SPILL_REACH * max(alpha.shape)))
    distance = cv2.distanceTransform((alpha > 127).view(np.uint8), cv2.DIST_L2, 3)
    weight = np.clip(1 - distance / reach, 0, 1) * (alpha > 0)
    left, top, width, height = cv2.boundingRect((weight > 0).view(np.uint8))
    if width == 0:
        return rgb
    window = slice(top, top + height), slice(left, left + width)
    lab = to_lab(rgb[window])
    towards = lab[:, :, 1:] @ (hue / chroma)
    inside = (distance[window] >= reach).astype(np.float32)
    size = (6 * reach + 1, 6 * reach + 1)
    share = cv2.blur(inside, size)
    usual = cv2.blur(towards * inside, size) / np.maximum(share, 1e-4)
    typical = float(np.median(towards[inside > 0])) if inside.any() else 0.0
    usual = np.where(share > 1e-3, usual, typical)
    excess = np.clip(towards - usual, 0, _MOST_SPILL * chroma) * weight[window]
    lab[:, :, 1:] -= excess[:, :, None] * (hue / chroma)
    clean = rgb.copy()
    clean[window] = np.where((excess > 0.5)[:, :, None], _rgb(lab), rgb[window])
    return clean


def light_wrap(rgb: np.ndarray, alpha: np.ndarray, background: np.ndarray, strength: float) -> np.ndarray:
    """Return the subject's colours with the light of a bright background added along the subject's edge.

    rgb, background: (H, W, 3) uint8.
    alpha: (H, W) uint8.
    strength: 0..1.

    The blurred background is blended over the subject with the weight strength * blur(1 - alpha) * alpha. Only pixels
    that are darker than the blurred background change, and they become brighter.
    """
    if strength <= 0:
        return rgb
    height, width = alpha.shape
    factor = 4
    small = max(1, width // factor), max(1, height // factor)
    kernel = int(0.02 * max(small)) * 2 + 1
    glow = cv2.blur(cv2.resize(background, small, interpolation=cv2.INTER_AREA), (kernel, kernel))
    outside = 255 - cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)
    near = cv2.blur(outside, (kernel, kernel))
    near = cv2.resize(near, (width, height))
    weight = cv2.multiply(near, alpha, scale=strength / 255)
    if not weight.any():
        return rgb
    glow = cv2.resize(glow, (width, height))
    lit = cv2.multiply(cv2.subtract(glow, rgb), cv2.merge([weight] * 3), scale=1 / 255)
    return cv2.add(rgb, lit)


def grain_of(rgb: np.ndarray, mask: np.ndarray) -> float:
    """Return the standard deviation of the brightness noise inside a mask, in gray levels 0..255.

    rgb: (H, W, 3) uint8.
    mask: (H, W) uint8. A pixel is used if its value and the values of its 8 neighbours are above 250.

    If fewer than 64 pixels can be used, return 0.0. The noise is measured with a filter whose output is almost 0 on
    slopes and edges (Immerkaer, "Fast Noise Variance Estimation", 1996). The median of the filter's absolute output is
    used instead of the mean, to reduce the influence of texture.
    """
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    filtered = cv2.filter2D(gray, cv2.CV_32F, np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32))
    inside = cv2.erode((mask > 250).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if inside.sum() < 64:
        return 0.0
    return float(np.median(np.abs(filtered[inside]))) / (0.6745 * 6)


def add_grain(background: np.ndarray, wanted: float) -> np.ndarray:
    """Return a background, (H, W, 3) uint8, with Gaussian noise added, so that its noise is as strong as the subject's.

    wanted: the standard deviation of the subject's noise, in gray levels.

    The added noise is the same in all channels and in each call. A background that already has enough noise is returned
    unchanged.
    """
    have = grain_of(background, np.full(background.shape[:2], 255, np.uint8))
    missing = wanted**2 - have**2
    if missing <= 0.25:
        return background
    noise = np.random.default_rng(_GRAIN_SEED).normal(0, missing**0.5, background.shape[:2]).astype(np.float32)
    return np.clip(np.rint(background + noise[:, :, None]), 0, 255).astype(np.uint8)


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """Return sRGB colours, (H, W, 3) uint8, converted to CIE Lab, float32."""
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _rgb(lab: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * 255).astype(np.uint8)
