"""Map of person ids at the picture's size, computed from the people that an engine found.

The map is (H, W) uint8: 0 is background, and 1..N are the people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .engines.base import Instance
from .instances import OPAQUE, assign_instances
from .options import Box
from .postprocess import foreground_box
from .resizing import enlarge

MAX_PEOPLE = 255  # the map has 8 bits
ASSIGN_SIDE_PX = 1024  # overlaps are decided at this size; the outline has the full size


@dataclass(frozen=True, slots=True)
class Person:
    """One person of the map of ids that `map_people` returns.

    id: the value of the person's pixels in the map, from 1.
    box: the smallest box around these pixels.
    score: how certain the engine is that this is a person, 0..1.
    area_px: the number of these pixels.
    """

    id: int
    box: Box
    score: float
    area_px: int


def map_people(instances: Sequence[Instance], alpha: np.ndarray) -> tuple[np.ndarray, tuple[Person, ...]]:
    """Return a map that assigns the opaque pixels of alpha to people, (H, W) uint8, and the people by ascending id.

    alpha: (H, W) float32 0..1, the union of the people at the picture's size.

    In the map, 0 is background, and 1..N are the ids of the people. At most MAX_PEOPLE of the instances are used. If
    there are no instances, the map is 0 everywhere.
    """
    instances = instances[:MAX_PEOPLE]
    if not instances:
        return np.zeros(alpha.shape, np.uint8), ()
    height, width = alpha.shape
    scale = min(1.0, ASSIGN_SIDE_PX / max(height, width))
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    alphas = np.stack([enlarge(instance.alpha, rows, columns) for instance in instances])
    scores = np.array([instance.score for instance in instances], np.float32)
    owners = assign_instances(alphas, scores, alphas.max(axis=0))
    ids = cv2.resize(_spread(owners), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    ids[alpha <= OPAQUE] = 0
    return number_people(ids, scores)


def _spread(ids: np.ndarray) -> np.ndarray:
    """Return a copy of a map of ids in which each background pixel gets the nearest id.

    The outline of the people is refined after the map is computed. With the added ids, each pixel inside the refined
    outline has an id.
    """
    if not ids.any():
        return ids
    labels = cv2.distanceTransformWithLabels(
        (ids == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    owner_of_label = np.zeros(labels.max() + 1, np.uint8)
    owner_of_label[labels[ids > 0]] = ids[ids > 0]
    return owner_of_label[labels]


def number_people(ids: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, tuple[Person, ...]]:
    """Return a map of ids with the ids renumbered to 1..N without gaps, in the same order, and the people.

    ids: the map of ids, (H, W) uint8.
    scores: (n,), 0..1. scores[i - 1] is the score of the person with the old id i.
    """
    areas = np.bincount(ids.ravel(), minlength=MAX_PEOPLE + 1)
    numbers = np.zeros(MAX_PEOPLE + 1, np.uint8)
    people: list[Person] = []
    for old in np.flatnonzero(areas[1:]) + 1:
        box = foreground_box(cv2.inRange(ids, int(old), int(old))) or Box(0, 0, 2, 2)
        numbers[old] = len(people) + 1
        people.append(Person(len(people) + 1, box, float(scores[old - 1]), int(areas[old])))
    return cv2.LUT(ids, numbers), tuple(people)
