"""Stage 7, post-processing: draw what was found over the photo, for eyes rather than for programs."""

from __future__ import annotations

import cv2
import numpy as np

_OPACITY = 0.5
_OUTLINE_SHARE = 0.004  # of the shorter side
# Neighbours in this list stay apart under the common kinds of colour blindness (after Okabe and Ito, 2008).
PALETTE = np.array(
    [(230, 159, 0), (0, 114, 178), (0, 158, 115), (213, 94, 0), (204, 121, 167), (86, 180, 233), (240, 228, 66)],
    np.uint8,
)


def draw_ids(rgb: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Colour every id of (H, W) uint8 (0 is background) on (H, W, 3) uint8, half transparent and outlined."""
    levels = np.zeros((256, 1, 3), np.uint8)
    levels[1:, 0] = np.resize(PALETTE, (255, 3))
    paint = cv2.LUT(cv2.merge([ids] * 3), levels.transpose(1, 0, 2))
    drawn = cv2.addWeighted(rgb, 1 - _OPACITY, paint, _OPACITY, 0)
    drawn = cv2.copyTo(drawn, (ids > 0).view(np.uint8), rgb.copy())
    thickness = max(1, round(min(ids.shape) * _OUTLINE_SHARE))
    outline = _outline(ids, thickness)
    return cv2.copyTo(paint, outline, drawn)


def _outline(ids: np.ndarray, thickness: int) -> np.ndarray:
    """Mark, as uint8 1, the pixels of an id within `thickness` of another id or of the background."""
    window = np.ones((2 * thickness + 1, 2 * thickness + 1), np.uint8)
    edge = cv2.dilate(ids, window) != cv2.erode(ids, window)
    return (edge & (ids > 0)).view(np.uint8)
