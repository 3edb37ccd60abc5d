"""Draw boxes and clicks of a picture as the built-in network's prompt planes (see segmentation.network)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentation.engines.cropping import cells_of
from segmentation.options import Box, Point

CLICK_RADIUS_SHARE = 1 / 64  # share of the plane's side
LEAST_CLICK_RADIUS_PX = 2.0


def box_plane(boxes: Sequence[Box], width: int, height: int, size_px: int) -> np.ndarray:
    """Return (1, S, S) float32 for boxes of a picture of width x height: +1 inside any of them, -1 outside."""
    plane = np.full((1, size_px, size_px), -1.0, np.float32)
    for box in boxes:
        rows, columns = cells_of(box, width, height, size_px, size_px)
        plane[0, rows, columns] = 1.0
    return plane


def click_plane(points: Sequence[Point], width: int, height: int, size_px: int) -> np.ndarray:
    """Return (1, S, S) float32 for points of a picture.

    The plane is +1 on the disc of a keep point, -1 on the disc of a remove point, 0 elsewhere. A later point covers an
    earlier one. All points must be on the picture.
    """
    plane = np.zeros((1, size_px, size_px), np.float32)
    cells = np.arange(size_px) + 0.5
    radius = click_radius(size_px)
    for point in points:
        across = cells - (point.x + 0.5) * size_px / width
        down = cells - (point.y + 0.5) * size_px / height
        plane[0, down[:, None] ** 2 + across[None] ** 2 <= radius**2] = 1.0 if point.keep else -1.0
    return plane


def click_radius(size_px: int) -> float:
    """Return the radius of a click's disc, in cells of a plane with `size_px` cells per side."""
    return max(LEAST_CLICK_RADIUS_PX, size_px * CLICK_RADIUS_SHARE)
