"""Stage 6, the model: looking at one box of a picture alone, and putting what was found back in its place."""

from __future__ import annotations

import numpy as np

from segmentation.engines.preparation import resized
from segmentation.options import Box

MAX_CANVAS_PX = 1024  # 20 boxes of two float32 mattes stay under 170 MB


def surroundings(box: Box, picture_width: int, picture_height: int, margin: float) -> Box:
    """Widen a box by `margin` of its own sides on each side, cut to the picture."""
    across, down = margin * (box.right - box.left), margin * (box.bottom - box.top)
    return Box(
        max(0, round(box.left - across)),
        max(0, round(box.top - down)),
        min(picture_width, round(box.right + across)),
        min(picture_height, round(box.bottom + down)),
    )


def canvas_size(
    view: Box, picture_width: int, picture_height: int, size_px: int, *, most_px: int = MAX_CANVAS_PX
) -> tuple[int, int]:
    """Choose width and height of a matte of the whole picture in which `view` keeps about `size_px` pixels a side."""

    def side(picture_px: int, view_px: int) -> int:
        return max(1, min(round(picture_px * size_px / view_px), max(most_px, size_px), picture_px))

    return side(picture_width, view.right - view.left), side(picture_height, view.bottom - view.top)


def pasted(
    found: np.ndarray, view: Box, picture_width: int, picture_height: int, *, columns: int = 0, rows: int = 0
) -> np.ndarray:
    """Lay `found`, (h, w) float32 covering `view`, on an empty matte of the whole picture.

    The matte has rows x columns cells; without them, as many as keep what was found at its own resolution.
    """
    if not columns or not rows:
        columns, rows = canvas_size(view, picture_width, picture_height, max(found.shape))
    canvas = np.zeros((rows, columns), np.float32)
    down, across = span_of(view, picture_width, picture_height, columns, rows)
    canvas[down, across] = resized(found, across.stop - across.start, down.stop - down.start)
    return canvas


def span_of(view: Box, picture_width: int, picture_height: int, columns: int, rows: int) -> tuple[slice, slice]:
    """Name the rows and columns, at least one of each, of a matte of rows x columns into which a view is laid.

    Its edges are rounded to the nearest cell, where `cells_of` takes every cell that a box touches.
    """
    left = min(columns - 1, round(view.left * columns / picture_width))
    top = min(rows - 1, round(view.top * rows / picture_height))
    right = max(left + 1, round(view.right * columns / picture_width))
    bottom = max(top + 1, round(view.bottom * rows / picture_height))
    return slice(top, bottom), slice(left, right)


def cells_of(box: Box, picture_width: int, picture_height: int, columns: int, rows: int) -> tuple[slice, slice]:
    """Name the rows and columns, of a matte of rows x columns, that a box of the picture touches."""
    left, right = box.left * columns // picture_width, -(-box.right * columns // picture_width)
    top, bottom = box.top * rows // picture_height, -(-box.bottom * rows // picture_height)
    return slice(max(0, top), min(rows, bottom)), slice(max(0, left), min(columns, right))


def inside(matte: np.ndarray, box: Box, picture_width: int, picture_height: int) -> np.ndarray:
    """Return the matte, (h, w) float32, with everything outside the box's cells set to 0."""
    rows, columns = cells_of(box, picture_width, picture_height, matte.shape[1], matte.shape[0])
    kept = np.zeros_like(matte)
    kept[rows, columns] = matte[rows, columns]
    return kept
