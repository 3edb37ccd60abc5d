"""Conversion of the built-in network's people maps to boxes of people.

Each cell covers 8 x 8 pixels of the network's input. Its five values are the logit that the centre of a person's box
lies in the cell, and the natural logarithms of the distances, in cells, from the cell's middle to the box's left, top,
right and bottom edges (see segmentation.network).
"""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.engines.preparation import sigmoid
from segmentation.errors import BoxInvalid
from segmentation.options import Box

MAX_PEOPLE = 20
MAX_SHARED = 0.6  # intersection over union from which two boxes belong to one person


def overlap(first: Box, second: Box) -> float:
    """Return the intersection over union of two boxes, 0..1."""
    across = min(first.right, second.right) - max(first.left, second.left)
    down = min(first.bottom, second.bottom) - max(first.top, second.top)
    if across <= 0 or down <= 0:
        return 0.0
    areas = sum((box.right - box.left) * (box.bottom - box.top) for box in (first, second))
    return across * down / (areas - across * down)


def find_people(maps: np.ndarray, width: int, height: int, min_score: float) -> list[tuple[Box, float]]:
    """Return the boxes and the scores, 0..1, of the people in a picture of width x height pixels, the best score first.

    maps: the network's people maps, (5, h, w) float32, covering the whole picture.
    min_score: the lowest score of a person, 0..1.

    The score of a cell is the sigmoid of its logit. A cell marks a person if its score is at least `min_score` and none
    of the 8 cells around it has a higher score. The person's box is the weighted average of the boxes of these 3 x 3
    cells. Of two boxes that are almost equal, only the one with the better score is returned. At most MAX_PEOPLE people
    are returned.
    """
    scores = sigmoid(maps[0])
    rows, columns = scores.shape
    edges = _agreed(_edges(maps), scores) * np.array([width / columns, height / rows] * 2, np.float32)
    peaks = (scores >= cv2.dilate(scores, np.ones((3, 3), np.uint8))) & (scores >= min_score)
    found: list[tuple[Box, float]] = []
    for row, column in sorted(np.argwhere(peaks).tolist(), key=lambda cell: -scores[tuple(cell)]):
        try:
            box = Box(*edges[row, column].tolist()).clipped(width, height)
        except BoxInvalid:
            continue  # a centre at the border, with almost nothing of its person in the picture
        found.append((box, float(scores[row, column])))
    return _distinct(found)[:MAX_PEOPLE]


def _distinct(found: list[tuple[Box, float]]) -> list[tuple[Box, float]]:
    """Return the people, but leave out people whose box is almost equal to an earlier box.

    found: the people, sorted by score, the best first.
    """
    kept: list[tuple[Box, float]] = []
    for box, score in found:
        if all(overlap(box, other) < MAX_SHARED for other, _ in kept):
            kept.append((box, score))
    return kept


def mirrored_maps(maps: np.ndarray) -> np.ndarray:
    """Return the people maps of a picture, (5, h, w), from the people maps of its mirrored picture.

    The distances to the left and to the right edge are exchanged.
    """
    return maps[[0, 3, 2, 1, 4], :, ::-1]


def _edges(maps: np.ndarray) -> np.ndarray:
    """Return the box of each cell, (h, w, 4): left, top, right, bottom, in cells from the picture's top left corner."""
    rows, columns = maps.shape[1:]
    middle = np.stack(np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5), -1).astype(np.float32)
    reach = np.exp(np.clip(maps[1:], -3, 6)).transpose(1, 2, 0)
    return np.concatenate([middle - reach[..., :2], middle + reach[..., 2:]], -1)


def _agreed(edges: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return for each cell the weighted average, (h, w, 4), of the boxes of the 3 x 3 cells around it.

    The weight of a box is the square of its score.

    edges: the box of each cell, (h, w, 4).
    scores: the score of each cell, (h, w).
    """
    weights = scores[..., None].astype(np.float32) ** 2 + 1e-9
    total = cv2.blur(edges * weights, (3, 3), borderType=cv2.BORDER_CONSTANT)
    return total / cv2.blur(weights, (3, 3), borderType=cv2.BORDER_CONSTANT)[..., None]
