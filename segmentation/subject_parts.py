"""Separation of a subject into complete people and things."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from segmentation.engines.base import Instance, Matte
from segmentation.resizing import enlarge

OPAQUE = 0.5
WHOLLY_SUBJECT = 0.8  # share of a group of people: from this value on, the subject's outline is the better one
TOUCHED = 0.08  # share of a group or a person: with less, the person is only beside the subject
LEAST_SHARE = 0.02  # share of the subject's alpha: a smaller part is neither a person nor a thing

InstancesOf = Callable[[], Sequence[Instance]]


def people_in(matte: Matte, instances: InstancesOf) -> np.ndarray | None:
    """Return the alpha (h, w) of the people in the subject, or None if there are no people in it.

    Pixels that belong to a person and to the subject get the subject's alpha. If the subject contains only a part of a
    person, such as the head above a car, the complete person is used.

    matte: an engine's result, which contains `people`.
    instances: a function that finds separate people. It is called only if a person is partly in the subject.
    """
    assert matte.people is not None
    people, subject = matte.people, matte.alpha
    alpha = subject * np.clip(2 * people, 0, 1)  # an uncertain 0.9 becomes opaque inside a person
    groups, labels = cv2.connectedComponents((people > OPAQUE).astype(np.uint8))
    shares = [float((subject[labels == group] > OPAQUE).mean()) for group in range(1, groups)]
    if any(TOUCHED <= share < WHOLLY_SUBJECT for share in shares):
        for person in instances():
            body = enlarge(person.alpha, *subject.shape)
            solid = body > OPAQUE
            if solid.any() and TOUCHED <= float((subject[solid] > OPAQUE).mean()) < WHOLLY_SUBJECT:
                alpha = np.maximum(alpha, body)
    return alpha if _counts(alpha, matte) else None


def things_in(matte: Matte) -> np.ndarray | None:
    """Return the alpha (h, w) of the subject without its people, or None if the subject contains only people.

    matte: an engine's result, which contains `people`.
    """
    assert matte.people is not None
    alpha = matte.alpha * (1 - np.clip(2 * matte.people, 0, 1))
    return alpha if _counts(alpha, matte) else None


def _counts(alpha: np.ndarray, matte: Matte) -> bool:
    return bool((alpha > OPAQUE).any()) and float(alpha.sum()) > LEAST_SHARE * float(matte.alpha.sum())
