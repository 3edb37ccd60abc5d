"""Drawing of the found subject or people over the photo, for visual checks."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

_OPACITY = 0.5
_OUTLINE_SHARE = 0.004  # share of the shorter side
# The first ones are distinct under the common kinds of colour blindness (Okabe and Ito, 2008).
_FIRST_COLOURS = (
    (230, 159, 0), (0, 114, 178), (0, 158, 115), (213, 94, 0), (204, 121, 167), (86, 180, 233), (240, 228, 66),
)  # fmt: skip
_STEP = 17  # steps between the levels of red, green and blue of the candidates for the other colours


@cache
def palette() -> np.ndarray:
    """Return a distinct colour for each of 255 ids, (255, 3) uint8 RGB.

    The first colours are a fixed list. Each further colour has the largest distance in CIELAB (CIE 1976) from all
    earlier colours.
    """
    levels = np.arange(0, 256, _STEP, dtype=np.uint8)
    candidates = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 3)
    places = _lab(candidates)
    chosen = [np.array(colour, np.uint8) for colour in _FIRST_COLOURS]
    distance = np.linalg.norm(places[:, None] - _lab(np.array(chosen)), axis=2).min(1)
    while len(chosen) < 255:
        farthest = int(distance.argmax())
        chosen.append(candidates[farthest])
        distance = np.minimum(distance, np.linalg.norm(places - places[farthest], axis=1))
    return np.array(chosen)


def _lab(colours: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(colours[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]


def draw_ids(rgb: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return the photo with the pixels of each id drawn in their own colour, half transparent, with an outline.

    rgb: (H, W, 3) uint8.
    ids: (H, W) uint8; 0 is background.
    """
    levels = np.zeros((256, 1, 3), np.uint8)
    levels[1:, 0] = palette()
    paint = cv2.LUT(cv2.merge([ids] * 3), levels.transpose(1, 0, 2))
    drawn = cv2.addWeighted(rgb, 1 - _OPACITY, paint, _OPACITY, 0)
    drawn = cv2.copyTo(drawn, (ids > 0).view(np.uint8), rgb.copy())
    thickness = max(1, round(min(ids.shape) * _OUTLINE_SHARE))
    outline = _outline(ids, thickness)
    return cv2.copyTo(paint, outline, drawn)


def _outline(ids: np.ndarray, thickness: int) -> np.ndarray:
    """Return a mask, (H, W) uint8: 1 at pixels with an id that are near another id or the background.

    thickness: the largest distance, in pixels, that counts as near.
    """
    window = np.ones((2 * thickness + 1, 2 * thickness + 1), np.uint8)
    edge = cv2.dilate(ids, window) != cv2.erode(ids, window)
    return (edge & (ids > 0)).view(np.uint8)
