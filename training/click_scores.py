"""Evaluation of clicks: simulate a user who clicks to select the true subject, and measure the overlap of the result.

The protocol is that of the literature on interactive segmentation (Sofiiuk et al. 2022): the first click is in the
middle of the subject, and each further click is in the middle of the largest error. A click is a keep click where the
subject is missing, and a remove click where the background is included.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from segmentation.engines.base import Engine
from segmentation.options import Point
from segmentation.resizing import enlarge
from training.metrics import intersection_over_union, mean

COUNTS = (1, 3, 5)  # the overlap is measured after these numbers of clicks
OPAQUE = 0.5


def score_clicks(engine: Engine, subjects: Iterator[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Return the mean IoU (`iou_after_N`) after each number N of clicks in COUNTS, and the number of `subjects`.

    subjects: pictures (H, W, 3) uint8 with the true alpha (h, w) float32 0..1 of the selected subject, not empty.

    Raise InferenceFailed if the engine does not support points.
    """
    overlaps: dict[int, list[float]] = {count: [] for count in COUNTS}
    for rgb, truth in subjects:
        points: list[Point] = []
        alpha = np.zeros_like(truth)
        for count in range(1, max(COUNTS) + 1):
            points.append(next_click(truth, alpha, rgb.shape[:2]))
            alpha = enlarge(engine.points(rgb, points, [], before=None).alpha, *truth.shape)
            if count in overlaps:
                overlaps[count].append(intersection_over_union(alpha, truth))
    figures: dict[str, float] = {"subjects": len(overlaps[COUNTS[0]])}
    return figures | {f"iou_after_{count}": mean(values) for count, values in overlaps.items()}


def next_click(truth: np.ndarray, alpha: np.ndarray, shape: tuple[int, int]) -> Point:
    """Return a click in the middle of the largest error of `alpha`.

    The click is a keep click if the subject is missing at its position, else a remove click.

    truth: the true alpha, (h, w) float32 0..1.
    alpha: the alpha that the engine returned, (h, w) float32 0..1.
    shape: (H, W) of the picture. The click's position is in pixels of this picture.
    """
    wanted, found = truth > OPAQUE, alpha > OPAQUE
    missing, wrong = _middle(wanted & ~found), _middle(found & ~wanted)
    keep = missing[0] >= wrong[0]
    _, row, column = missing if keep else wrong
    down, across = shape[0] / truth.shape[0], shape[1] / truth.shape[1]
    return Point(int((column + 0.5) * across), int((row + 0.5) * down), keep)


def _middle(error: np.ndarray) -> tuple[float, int, int]:
    """Find the wrong pixel that is farthest from all correct pixels, and return its distance in pixels, row and column.

    error: (h, w) bool, True in wrong pixels.
    """
    padded = cv2.copyMakeBorder(error.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)  # the border limits an error
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(depth[row, column]), int(row), int(column)
