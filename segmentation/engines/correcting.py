"""Correction of a matte by clicks: a click changes the object that it hits, and nothing else.

A network that gets a click and the previous matte answers with a matte of the whole subject. This answer also changes
other parts of the subject: after a remove click on one person of a group, most of the group is missing. Therefore the
network also answers to a keep click at the same place alone, without a previous matte. This answer shows the object
that the click hits. Of it, only the piece at the click counts: other pieces are often parts of similar objects, for
example the face of the next person.

All arrays are alphas 0..1, (C, h, w) float32: the subject's alpha first, then people's alpha if it is known.
"""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.engines.base import Matte
from segmentation.engines.preparation import resized

Span = tuple[slice, slice]

STEEPNESS = 3.0  # how much sharper the hit object's outline becomes before it is removed, as a factor around alpha 0.5
SOFT_SHARE = 1 / 40  # share of the side: the width of the soft edge that belongs to a piece


def piece_at(hit: np.ndarray, down: float, across: float) -> np.ndarray:
    """Return an answer without the pieces of its subject that are not connected with the click.

    A piece is a connected area with an alpha above 0.5, with its soft edge. If there is none at the click, the answer
    is returned unchanged.

    hit: (C, h, w).
    down, across: the position of the click, as shares of the height and of the width, 0..1.
    """
    rows, columns = hit.shape[1:]
    solid = (hit[0] > 0.5).astype(np.uint8)
    _, pieces = cv2.connectedComponents(solid)
    piece = pieces[min(int(down * rows), rows - 1), min(int(across * columns), columns - 1)]
    if not piece:
        return hit
    one = (pieces == piece).astype(np.uint8)
    reach = 2 * max(1, round(SOFT_SHARE * columns)) + 1
    near = cv2.dilate(one, np.ones((reach, reach), np.uint8))
    return hit * ((near > 0) & ((solid == 0) | (one > 0)))


def added(before: np.ndarray, found: np.ndarray, hit: np.ndarray) -> np.ndarray:
    """Return the matte after a keep click: the object that it hits is added, as far as the answer contains it.

    before: the previous matte.
    found: the network's answer to this click, given the previous matte.
    hit: the network's answer to this click alone.
    """
    return np.maximum(before, np.minimum(found, hit))


def taken_away(before: np.ndarray, found: np.ndarray, hit: np.ndarray) -> np.ndarray:
    """Return the matte after a remove click: the object that it hits is removed, as far as the answer lacks it.

    The neighbours of the object, where `hit` is uncertain, would become half transparent. Therefore its values are
    moved towards 0 and 1.

    before, found: as in `added`.
    hit: the network's answer to a keep click at the same place alone.
    """
    certain = np.clip((hit - 0.5) * STEEPNESS + 0.5, 0, 1)
    return np.minimum(before, np.maximum(found, 1 - certain))


def corrected(before: np.ndarray, found: np.ndarray, hit: np.ndarray, span: Span, *, keep: bool) -> np.ndarray:
    """Return a copy of a matte with one part corrected by one click.

    before, found, hit: as in `added` and `taken_away`. `found` and `hit` are answers for the part, in any size.
    span: the rows and the columns of the part.
    keep: whether the click is a keep click.
    """
    after = before.copy()
    part = after[:, *span]
    found, hit = (_fitted(answer, part) for answer in (found, hit))
    part[:] = added(part, found, hit) if keep else taken_away(part, found, hit)
    return after


def layers_of(matte: Matte, least_px: int) -> np.ndarray:
    """Return the alphas of a matte as one new array, (C, h, w), enlarged to at least `least_px` rows and columns.

    C is 2 if the matte contains people's alpha, else 1.
    """
    rows, columns = (max(side, least_px) for side in matte.alpha.shape)
    alphas = [matte.alpha] if matte.people is None else [matte.alpha, matte.people]
    return np.stack([resized(np.asarray(alpha, np.float32), columns, rows) for alpha in alphas])


def _fitted(answer: np.ndarray, part: np.ndarray) -> np.ndarray:
    count, rows, columns = part.shape
    return np.stack([resized(np.ascontiguousarray(alpha), columns, rows) for alpha in answer[:count]])
