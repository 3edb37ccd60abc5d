"""Holes inside the subject, such as in a handle or between spokes: keep them, fill them, or open more by colour."""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.finish.edges import background_color
from segmentation.finish.recipe import Holes

_LEAST_SHARE = 2e-5  # share of the picture: smaller regions are noise
_NEAR_COLOR = 14.0  # distance in Lab up to which a region has the background's colour
_SMOOTH = 7.0  # deviation within a region up to which it is one surface


def with_holes(alpha: np.ndarray, rgb: np.ndarray, holes: Holes) -> np.ndarray:
    """Return alpha, (H, W) uint8, with its holes unchanged, filled, or with more holes opened, as `holes` says.

    rgb: the photo, (H, W, 3) uint8.
    """
    match holes:
        case Holes.KEEP:
            return _filled(alpha)
        case Holes.CUT:
            return _opened(alpha, rgb)
    return alpha


def _filled(alpha: np.ndarray) -> np.ndarray:
    """Return alpha with filled holes: a background region that does not touch the picture's border becomes opaque."""
    outside = _reached_from_border(alpha < 128)
    enclosed = ((alpha < 128) & ~outside).view(np.uint8)
    if not enclosed.any():
        return alpha
    # The hole's soft edge belongs to it too.
    rim = cv2.dilate(enclosed, np.ones((7, 7), np.uint8)) > 0
    apart = cv2.dilate(outside.view(np.uint8), np.ones((3, 3), np.uint8)) == 0
    return np.where(rim & apart, np.uint8(255), alpha)


def _opened(alpha: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Set alpha to 0 in regions inside the subject that have the colour and the smoothness of the old background.

    Regions that touch the subject's outline are kept. If the background has several colours, nothing changes.
    """
    color, stray = background_color(rgb, alpha)
    if stray > 2 * _NEAR_COLOR:
        return alpha
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    alike = (np.linalg.norm(lab - color, axis=2) < max(_NEAR_COLOR, 1.5 * stray)) & (alpha > 127)
    alike = cv2.morphologyEx(alike.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    near_outside = cv2.dilate((alpha < 128).view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(alike, connectivity=4)
    touching = set(np.unique(labels[near_outside]).tolist())
    opened = np.zeros_like(alpha)
    for label in range(1, count):
        left, top, width, height, area = stats[label]
        if area < _LEAST_SHARE * alpha.size or label in touching:
            continue
        window = slice(top, top + height), slice(left, left + width)
        place = labels[window] == label
        if float(lab[window][place].std(axis=0).mean()) <= _SMOOTH:
            opened[window][place] = 255
    if not opened.any():
        return alpha
    soft = cv2.GaussianBlur(cv2.dilate(opened, np.ones((3, 3), np.uint8)), (3, 3), 0)
    return cv2.subtract(alpha, soft)


def _reached_from_border(free: np.ndarray) -> np.ndarray:
    """Return which pixels of `free`, (H, W) bool, are connected to the picture's border through free pixels."""
    padded = np.pad(free.view(np.uint8), 1, constant_values=1)
    cv2.floodFill(padded, None, (0, 0), 2)
    return padded[1:-1, 1:-1] == 2
