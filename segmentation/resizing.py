"""Functions that enlarge small alphas, completely or in blocks of rows, and functions that reduce pictures."""

from __future__ import annotations

import cv2
import numpy as np


def enlarge(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a plane, (h, w) float32, resized to (height, width).

    The values are interpolated bilinearly, or averaged if the result has fewer values than `plane`.
    """
    smaller = height * width < plane.size
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def shrink(plane: np.ndarray, height: int, width: int, *, exact: bool = True) -> np.ndarray:
    """Return a picture, (H, W) or (H, W, channels), reduced to (height, width) by averaging.

    The picture is first halved as often as possible, because this is faster than one large step. The last step reduces
    it to the exact size.

    exact: if True, the last step averages pixels. If False, it interpolates bilinearly, which takes a tenth of the time
    for a large result. The difference is not visible on a screen.
    """
    while plane.shape[0] >= 2 * height and plane.shape[1] >= 2 * width:
        plane = cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_LINEAR)
    if plane.shape[:2] == (height, width):
        return plane
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA if exact else cv2.INTER_LINEAR)


class Enlarged:
    """A small plane, (h, w) float32, that is enlarged to (height, width) in blocks of rows.

    The result equals bilinear `cv2.resize`. A block stays in the processor's cache; the complete plane of a picture of
    50 megapixels would take 200 MB.
    """

    def __init__(self, plane: np.ndarray, height: int, width: int) -> None:
        self._plane, self._width = plane, width
        cells = plane.shape[0]
        position = ((np.arange(height) + 0.5) * (cells / height) - 0.5).clip(0, cells - 1).astype(np.float32)
        self._first = position.astype(np.intp)
        self._second = np.minimum(self._first + 1, cells - 1)
        self._weight = (position - self._first).astype(np.float32)[:, None]

    def rows(self, lines: slice) -> np.ndarray:
        """Return the rows of the slice `lines` of the enlarged plane, (rows, width) float32."""
        first, second = (self._plane.take(cells[lines], axis=0) for cells in (self._first, self._second))
        second -= first
        second *= self._weight[lines]
        first += second
        return cv2.resize(first, (self._width, first.shape[0]), interpolation=cv2.INTER_LINEAR)


def enlarged_cells(cells: np.ndarray, factor: int, rows: slice, width: int) -> np.ndarray:
    """Enlarge `cells` bilinearly by a whole number, and return some rows of the enlarged picture.

    cells: a small picture, (h, w, channels) uint8; each of its pixels is called a cell.
    factor: the enlarged picture has `factor` times as many rows and columns.
    rows: the range of rows to return; it starts at a multiple of `factor`.
    width: the number of columns to return.

    Where `rows` or `width` is larger than the enlarged picture, its last row or column is repeated.
    """
    first = rows.start // factor
    halo = cells[max(0, first - 1) : -(-rows.stop // factor) + 1]
    missing = -(-width // factor) - cells.shape[1]
    if missing > 0:
        halo = cv2.copyMakeBorder(halo, 0, 0, 0, missing, cv2.BORDER_REPLICATE)
    size = halo.shape[1] * factor, halo.shape[0] * factor
    enlarged = cv2.resize(halo, size, interpolation=cv2.INTER_LINEAR)
    before = factor if first else 0
    lines = enlarged[before : before + rows.stop - rows.start, :width]
    short = rows.stop - rows.start - lines.shape[0]
    return cv2.copyMakeBorder(lines, 0, short, 0, 0, cv2.BORDER_REPLICATE) if short else lines
