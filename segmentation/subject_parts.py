"""Separation of a subject into complete people and things."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from segmentation.engines.base import Instance, Matte
from segmentation.resizing import enlarge

OPAQUE = 0.5
WHOLLY_SUBJECT = 0.8  # share of a person: from this value on, the subject's outline is the better one
TOUCHED = 0.08  # share of a person: with less, the person is only beside the subject
STRAY = 0.1  # area relative to the largest person: a smaller part of the people map, outside all people, is an error
FRINGE = 0.01  # share of the longer side: how far the soft edge of such a part reaches
LEAST_SHARE = 0.02  # share of the subject's alpha: a smaller part is neither a person nor a thing

InstancesOf = Callable[[], Sequence[Instance]]


def people_in(matte: Matte, instances: InstancesOf) -> np.ndarray | None:
    """Return the alpha (h, w) of the people in the subject, or None if there are no people in it.

    Pixels that belong to a person and to the subject get the subject's alpha. If the subject contains only a part of a
    person, such as the head above a car, the complete person is used.

    matte: an engine's result, which contains `people`.
    instances: a function that finds separate people. It is called only if a pixel of the subject belongs to people.
    """
    people, bodies = _people(matte, instances)
    alpha = matte.alpha * np.clip(2 * people, 0, 1)  # an uncertain 0.9 becomes opaque inside a person
    for body in bodies:
        if TOUCHED <= _share(matte.alpha, body) < WHOLLY_SUBJECT:
            alpha = np.maximum(alpha, body)
    return alpha if _counts(alpha, matte) else None


def things_in(matte: Matte, instances: InstancesOf) -> np.ndarray | None:
    """Return the alpha (h, w) of the subject without its people, or None if the subject contains only people.

    The parameters are those of `people_in`.
    """
    people, bodies = _people(matte, instances)
    alpha = matte.alpha * (1 - np.clip(2 * np.maximum.reduce([people, *bodies]), 0, 1))
    return alpha if _counts(alpha, matte) else None


def _people(matte: Matte, instances: InstancesOf) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the people map without its stray parts, and the alphas of the single people that it confirms, all (h, w).

    If no pixel of the subject belongs to people, return the map unchanged and no single people.
    """
    assert matte.people is not None
    people = matte.people
    if not ((people > OPAQUE) & (matte.alpha > OPAQUE)).any():
        return people, []
    found = [enlarge(person.alpha, *people.shape) for person in instances()]
    bodies = [body for body in found if _share(people, body) >= TOUCHED]
    return (_without_strays(people, bodies) if bodies else people), bodies


def _without_strays(people: np.ndarray, bodies: Sequence[np.ndarray]) -> np.ndarray:
    """Return the people map without the small parts that no single person covers, for example the wheel of a car."""
    covered = np.maximum.reduce(bodies) > OPAQUE
    largest_px = max(int((body > OPAQUE).sum()) for body in bodies)
    groups, labels = cv2.connectedComponents((people > OPAQUE).astype(np.uint8))
    strays = np.zeros(people.shape, np.uint8)
    for group in range(1, groups):
        part = labels == group
        if part.sum() < STRAY * largest_px and not covered[part].any():
            strays[part] = 1
    reach = 2 * round(FRINGE * max(people.shape)) + 1
    return np.where(cv2.dilate(strays, np.ones((reach, reach), np.uint8)) > 0, 0, people)


def _share(alpha: np.ndarray, body: np.ndarray) -> float:
    """Return the share of a person's opaque pixels that are opaque in `alpha`, 0 for a person without any."""
    solid = body > OPAQUE
    return float((alpha[solid] > OPAQUE).mean()) if solid.any() else 0.0


def _counts(alpha: np.ndarray, matte: Matte) -> bool:
    return bool((alpha > OPAQUE).any()) and float(alpha.sum()) > LEAST_SHARE * float(matte.alpha.sum())
