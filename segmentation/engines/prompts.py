"""Conversion of boxes and clicks to the prompt planes of the built-in network (see segmentation.network)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentation.engines.cropping import cells_of
from segmentation.options import Box, Point

CLICK_RADIUS_SHARE = 1 / 64  # share of the plane's side
LEAST_CLICK_RADIUS_PX = 2.0


def box_plane(boxes: Sequence[Box], width: int, height: int, size_px: int) -> np.ndarray:
    """Return the box plane, (1, S, S) float32: +1 inside any of the boxes, -1 outside all boxes.

    width, height: the picture's size in pixels.
    size_px: the side S of the plane.
    """
    plane = np.full((1, size_px, size_px), -1.0, np.float32)
    for box in boxes:
        rows, columns = cells_of(box, width, height, size_px, size_px)
        plane[0, rows, columns] = 1.0
    return plane


def click_plane(points: Sequence[Point], width: int, height: int, size_px: int) -> np.ndarray:
    """Return the click plane, (1, S, S) float32, on which each point is drawn as a disc.

    The plane is +1 on the discs of points with `keep`, -1 on the discs of the other points, and 0 elsewhere. Where
    discs overlap, the later point has priority. All points must be inside the picture.

    width, height: the picture's size in pixels.
    size_px: the side S of the plane.
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
