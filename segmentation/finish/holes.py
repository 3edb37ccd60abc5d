"""Holes inside the subject, such as in a handle or between spokes: they can be kept, filled, or opened by colour.

A hole is opened where the photo shows the background's colour but the model's alpha is opaque.
"""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.finish.edges import BACKGROUND_LEVEL, to_lab
from segmentation.finish.recipe import Holes

_LEAST_SHARE = 2e-5  # share of the picture: smaller regions are noise
_LEAST_PX = 6
_NEAR_COLOR = 7.0  # distance in Lab up to which a pixel has the background's colour
_PART_COLOR = 2.0  # times that distance: from there on a pixel shows no background
_OUTLINE_REACH = 0.002  # share of the longer side: a region as near to the outline may be a part of the subject
_EDGE_PX = 3  # distance up to which a hole's border has contrast
_EDGE_SHARE = 0.85  # share of a hole's border that has contrast
_BUSY = 12.0  # spread in Lab from which a background has too many colours
_SMALL_SIDE_PX = 256  # longer side of the copy in which the background's colours are averaged
_REACHES = (0.32, 0.16, 0.08, 0.04, 0.02)  # shares of the longer side: how far away that background may be
_LEAST_WEIGHT = 0.04  # share of a neighbourhood that must be background


def with_holes(alpha: np.ndarray, rgb: np.ndarray, holes: Holes) -> np.ndarray:
    """Return alpha, (H, W) uint8, after its holes were treated as `holes` requires.

    holes: MODEL changes nothing, KEEP fills the holes, CUT opens more holes.
    rgb: the photo, (H, W, 3) uint8.
    """
    match holes:
        case Holes.KEEP:
            return _filled(alpha)
        case Holes.CUT:
            return _opened(alpha, rgb)
    return alpha


def _filled(alpha: np.ndarray) -> np.ndarray:
    """Return alpha with filled holes. A hole is a background region that does not touch the picture's border."""
    outside = _reached_from_border(alpha < 128)
    enclosed = ((alpha < 128) & ~outside).view(np.uint8)
    if not enclosed.any():
        return alpha
    # The hole's soft edge belongs to it too.
    rim = cv2.dilate(enclosed, np.ones((7, 7), np.uint8)) > 0
    apart = cv2.dilate(outside.view(np.uint8), np.ones((3, 3), np.uint8)) == 0
    return np.where(rim & apart, np.uint8(255), alpha)


def _opened(alpha: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Return alpha without the regions inside the subject that have the colour of the nearby background.

    A region is kept if it touches the subject's outline, because it may be a part of the subject in a similar colour. A
    region near a background of many colours is also kept. Beside a removed region, alpha depends on how much the colour
    differs from the background's colour. In this way, thin things such as spokes stay partly opaque.
    """
    left, top, width, height = cv2.boundingRect((alpha > BACKGROUND_LEVEL).view(np.uint8))
    if width == 0:
        return alpha
    window = slice(top, top + height), slice(left, left + width)
    inside = alpha[window]
    unlike, spread = (part[window] for part in _compared_with_background(rgb, alpha))
    alike = (unlike < 1) & (spread < _BUSY) & (inside > BACKGROUND_LEVEL)
    reach = max(2, round(_OUTLINE_REACH * max(alpha.shape)))
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    outside = cv2.dilate(_reached_from_border(alpha < 128).view(np.uint8), square)[window] > 0
    regions = _enclosed_regions(
        alike, outside, unlike, inside > BACKGROUND_LEVEL, max(_LEAST_PX, _LEAST_SHARE * alpha.size)
    )
    if not regions.any():
        return alpha
    beside = cv2.dilate(regions.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    share = np.clip((_PART_COLOR - unlike) / (_PART_COLOR - 1), 0, 1)
    share[regions] = 1
    share[~beside | outside | (spread >= _BUSY)] = 0
    opened = alpha.copy()
    opened[window] = np.rint(inside * (1 - share))
    return opened


def _enclosed_regions(
    alike: np.ndarray, outside: np.ndarray, unlike: np.ndarray, is_subject: np.ndarray, least_px: float
) -> np.ndarray:
    """Return which pixels of `alike` belong to a hole.

    alike: (H, W) bool, the pixels that have the background's colour.
    outside: (H, W) bool, the background and a strip along the subject's outline.
    unlike: (H, W) float32, each pixel's distance from the background's colour; below 1, the colours count as alike.
    is_subject: (H, W) bool, the subject's pixels.
    least_px: the smallest area of a hole, in pixels.

    A hole does not touch `outside`. It has a clear edge: the subject around it has other colours than the background. A
    part of the subject whose colour is close to the background's colour has no clear edge, so it is not a hole.
    """
    compact = cv2.morphologyEx(alike.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(compact, connectivity=4)
    is_hole = stats[:, cv2.CC_STAT_AREA] >= least_px
    is_hole[np.unique(labels[outside])] = False
    is_hole[0] = False
    square = np.ones((2 * _EDGE_PX + 1, 2 * _EDGE_PX + 1), np.uint8)
    has_contrast = cv2.dilate(unlike * is_subject, square) > _PART_COLOR
    for label in np.flatnonzero(is_hole):
        left, top, width, height = stats[label, :4]
        window = slice(max(0, top - 1), top + height + 1), slice(max(0, left - 1), left + width + 1)
        place = (labels[window] == label).view(np.uint8)
        border = (cv2.dilate(place, np.ones((3, 3), np.uint8)) > place) & is_subject[window]
        is_hole[label] = border.sum() == 0 or has_contrast[window][border].mean() > _EDGE_SHARE
    return is_hole[labels]


def _compared_with_background(rgb: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how much each pixel differs from the colour of the nearby background, and how much this colour varies.

    Both are (H, W) float32. A pixel with a difference below 1 has the background's colour. The variation is the
    standard deviation in Lab units.
    """
    color, spread = _background_near(rgb, alpha)
    full = alpha.shape[1], alpha.shape[0]
    spread = cv2.resize(spread, full)
    lab = to_lab(rgb)
    squared = np.zeros_like(spread)
    for channel in range(3):  # one at a time, because a large photo takes 100 MB a channel
        cv2.accumulateSquare(lab[:, :, channel] - cv2.resize(color[:, :, channel], full), squared)
    return np.sqrt(squared) / np.maximum(_NEAR_COLOR, 1.5 * spread), spread


def _background_near(rgb: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean colour of the background near each pixel, (h, w, 3) float32 in CIE Lab, and its spread, (h, w).

    Both arrays have the size of a small copy of the photo, with a longer side of at most _SMALL_SIDE_PX. The mean is
    computed over the smallest surroundings, one of _REACHES, that contain enough background. The spread is the standard
    deviation there, or 100 if there is no background.
    """
    height, width = alpha.shape
    factor = min(1.0, _SMALL_SIDE_PX / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = to_lab(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
    is_background = (cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) <= BACKGROUND_LEVEL).astype(np.float32)
    weighted, squares = small * is_background[:, :, None], (small**2).sum(axis=2) * is_background
    color, spread = np.zeros_like(small), np.full(is_background.shape, 100, np.float32)
    for reach in _REACHES:
        weight = _blurred(is_background, reach)
        is_enough = weight > _LEAST_WEIGHT
        divisor = np.maximum(weight, 1e-6)
        mean = _blurred(weighted, reach) / divisor[:, :, None]
        variance = _blurred(squares, reach) / divisor - (mean**2).sum(axis=2)
        color[is_enough] = mean[is_enough]
        spread[is_enough] = np.sqrt(np.maximum(variance, 0))[is_enough]
    return color, spread


def _blurred(values: np.ndarray, reach: float) -> np.ndarray:
    """Return the values after a Gaussian blur. Values beyond the border count as 0.

    reach: the Gaussian's standard deviation as a share of the longer side.
    """
    sigma = reach * max(values.shape[:2])
    return cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)


def _reached_from_border(free: np.ndarray) -> np.ndarray:
    """Return which pixels of `free`, (H, W) bool, are connected to the picture's border through free pixels."""
    padded = np.pad(free.view(np.uint8), 1, constant_values=1)
    cv2.floodFill(padded, None, (0, 0), 2)
    return padded[1:-1, 1:-1] == 2
