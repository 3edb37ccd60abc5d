"""Stage 6, the model: from the built-in network's people maps to boxes round people.

The maps are those of CenterNet (Zhou et al. 2019) without its offset: a cell of 8 pixels holds the logit that a
person's box has its centre there, and the logarithms of the box's width and height in cells.
"""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.engines.preparation import sigmoid
from segmentation.errors import BoxInvalid
from segmentation.options import Box

MAX_PEOPLE = 20
MAX_SHARED = 0.6  # intersection over union from which two boxes are one person's


def overlap(first: Box, second: Box) -> float:
    """Measure the intersection over the union of two boxes, 0..1."""
    across = min(first.right, second.right) - max(first.left, second.left)
    down = min(first.bottom, second.bottom) - max(first.top, second.top)
    if across <= 0 or down <= 0:
        return 0.0
    areas = sum((box.right - box.left) * (box.bottom - box.top) for box in (first, second))
    return across * down / (areas - across * down)


def find_people(maps: np.ndarray, width: int, height: int, min_score: float) -> list[tuple[Box, float]]:
    """Read people's boxes, in pixels of a picture of width x height, and scores 0..1, best score first.

    maps: (3, h, w) float32, covering the whole picture. A person is a cell whose score is the highest of its 3 x 3
    neighbours; of two boxes that are nearly one, the better stays.
    """
    scores = sigmoid(maps[0])
    rows, columns = scores.shape
    peaks = (scores >= cv2.dilate(scores, np.ones((3, 3), np.uint8))) & (scores >= min_score)
    found: list[tuple[Box, float]] = []
    for row, column in sorted(np.argwhere(peaks).tolist(), key=lambda cell: -scores[tuple(cell)]):
        across, down = (np.exp(np.clip(maps[1:, row, column], -3, 6)) / 2).tolist()
        edges = (column + 0.5 - across, row + 0.5 - down, column + 0.5 + across, row + 0.5 + down)
        scale = (width / columns, height / rows) * 2
        try:
            box = Box(*(edge * factor for edge, factor in zip(edges, scale, strict=True))).clipped(width, height)
        except BoxInvalid:
            continue  # a centre at the border with hardly anything of its person on the picture
        if all(overlap(box, other) < MAX_SHARED for other, _ in found):
            found.append((box, float(scores[row, column])))
    return found[:MAX_PEOPLE]
