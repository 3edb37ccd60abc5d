"""Crops of a picture around a box, as input of the model, and their insertion into a matte of the whole picture.

In all functions, `picture_width` and `picture_height` are the picture's size in pixels. A cell is one value of a matte.
"""

from __future__ import annotations

import numpy as np

from segmentation.engines.preparation import resized
from segmentation.options import Box

MAX_CANVAS_PX = 1024  # with this size, 20 boxes of two float32 mattes take less than 170 MB


def surroundings(box: Box, picture_width: int, picture_height: int, margin: float) -> Box:
    """Return a box enlarged on all sides and clipped to the picture.

    The left and right edges move by `margin` times the box's width, the upper and lower edges by `margin` times its
    height.
    """
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
    """Return width and height of a matte of the whole picture in which `view` has about `size_px` pixels per side.

    view: a part of the picture.
    most_px: the greatest length of a side of the matte. If `size_px` is larger, `size_px` is used instead.

    No side of the matte is longer than the same side of the picture.
    """

    def side(picture_px: int, view_px: int) -> int:
        return max(1, min(round(picture_px * size_px / view_px), max(most_px, size_px), picture_px))

    return side(picture_width, view.right - view.left), side(picture_height, view.bottom - view.top)


def pasted(
    found: np.ndarray, view: Box, picture_width: int, picture_height: int, *, columns: int = 0, rows: int = 0
) -> np.ndarray:
    """Return a matte of the whole picture: the resized `found` inside `view`, and 0 outside.

    found: the matte of the picture's part `view`, (h, w) float32.
    columns, rows: the size of the result in cells. If either is 0, the result has the size that keeps the resolution of
    `found`.
    """
    if not columns or not rows:
        columns, rows = canvas_size(view, picture_width, picture_height, max(found.shape))
    canvas = np.zeros((rows, columns), np.float32)
    down, across = span_of(view, picture_width, picture_height, columns, rows)
    canvas[down, across] = resized(found, across.stop - across.start, down.stop - down.start)
    return canvas


def span_of(view: Box, picture_width: int, picture_height: int, columns: int, rows: int) -> tuple[slice, slice]:
    """Return the rows and the columns, at least one each, that a view covers in a matte of rows x columns cells.

    view: a part of the picture.

    The view's edges are rounded to the nearest cell. In contrast, `cells_of` returns all cells that a box touches.
    """
    left = min(columns - 1, round(view.left * columns / picture_width))
    top = min(rows - 1, round(view.top * rows / picture_height))
    right = max(left + 1, round(view.right * columns / picture_width))
    bottom = max(top + 1, round(view.bottom * rows / picture_height))
    return slice(top, bottom), slice(left, right)


def cells_of(box: Box, picture_width: int, picture_height: int, columns: int, rows: int) -> tuple[slice, slice]:
    """Return the rows and the columns that a box touches in a matte of rows x columns cells."""
    left, right = box.left * columns // picture_width, -(-box.right * columns // picture_width)
    top, bottom = box.top * rows // picture_height, -(-box.bottom * rows // picture_height)
    return slice(max(0, top), min(rows, bottom)), slice(max(0, left), min(columns, right))


def inside(matte: np.ndarray, box: Box, picture_width: int, picture_height: int) -> np.ndarray:
    """Return a copy of the matte, (h, w) float32, that is 0 in the cells that the box does not touch."""
    rows, columns = cells_of(box, picture_width, picture_height, matte.shape[1], matte.shape[0])
    kept = np.zeros_like(matte)
    kept[rows, columns] = matte[rows, columns]
    return kept
