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
LEAST_OF_FOUND, MOST_OF_MISSING = 0.7, 0.3  # shares of a person in the result: found, or missing
LEAST_OTHERS = 0.01  # share of the picture: what a result must contain beside the person


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


def score_corrections(engine: Engine, groups: Iterator[tuple[np.ndarray, list[np.ndarray]]]) -> dict[str, float]:
    """Return how well one click takes one person away from the result of `auto`, or adds one to it.

    groups: pictures (H, W, 3) uint8 with the masks (h, w) bool of their single people.

    `removals` counts the people in results that also contain something else. `additions` counts the people that the
    results do not contain. `iou_after_removal` and `iou_after_addition` are the mean IoU of the result after a click in
    the middle of such a person with the first result without or with this person. `kept_at_removal` and
    `kept_at_addition` are the mean shares of the wanted area that the result contains.

    Raise InferenceFailed if the engine does not support points.
    """
    overlaps: dict[bool, list[float]] = {True: [], False: []}
    kept: dict[bool, list[float]] = {True: [], False: []}
    for rgb, people in groups:
        before = engine.auto(rgb)
        for person in people:
            first = enlarge(before.alpha, *person.shape) > OPAQUE
            others, inside = first & ~person, float(first[person].mean())
            adds = inside <= MOST_OF_MISSING
            if not adds and (inside < LEAST_OF_FOUND or others.mean() < LEAST_OTHERS):
                continue
            click = next_click(person.astype(np.float32), np.zeros(person.shape), rgb.shape[:2])
            points = [Point(click.x, click.y, keep=adds)]
            alpha = enlarge(engine.points(rgb, points, [], before=before).alpha, *person.shape)
            wanted = (first | person) if adds else others
            overlaps[adds].append(intersection_over_union(alpha, wanted.astype(np.float32)))
            kept[adds].append(float((alpha[wanted] > OPAQUE).mean()))
    return {
        "removals": len(overlaps[False]),
        "iou_after_removal": mean(overlaps[False]),
        "kept_at_removal": mean(kept[False]),
        "additions": len(overlaps[True]),
        "iou_after_addition": mean(overlaps[True]),
        "kept_at_addition": mean(kept[True]),
    }


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
