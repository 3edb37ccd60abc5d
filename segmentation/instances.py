"""Combination of one soft alpha per person into a map that assigns each pixel to at most one person."""

from __future__ import annotations

import cv2
import numpy as np

OPAQUE = 0.5
SAME_PERSON_SHARE = 0.8  # overlap with a mask of higher score from which both are the same person
SMOOTHING_SHARE = 0.01  # share of the longer side: smoothed alpha decides about overlapping pixels, to avoid noise


def assign_instances(alphas: np.ndarray, scores: np.ndarray, people_alpha: np.ndarray) -> np.ndarray:
    """Return a map that assigns each opaque pixel of a picture to at most one person.

    alphas: (n, H, W) float32 0..1, the alpha of each person.
    scores: (n,), how certain each person is, in the order of `alphas`.
    people_alpha: (H, W) float32 0..1, the visible union of the people.

    The map is (H, W) uint8: 0 for background, i + 1 where the pixel belongs to alphas[i]. A person's mask contains the
    pixels where the person's alpha is above OPAQUE. If a mask is almost completely inside a mask with a higher score,
    both show the same person, and the mask with the lower score gets no pixels. Where several masks overlap, the pixel
    belongs to the mask with the highest smoothed alpha. For equal alphas, the mask with the highest score gets it.

    Raise ValueError for more than 255 people.
    """
    if len(alphas) > 255:
        raise ValueError("an id map of eight bits holds 255 people at most")
    ids = np.zeros(people_alpha.shape, np.uint8)
    order = [int(index) for index in np.argsort(-np.asarray(scores), kind="stable")]
    kept = _without_repeats([alphas[index] > OPAQUE for index in order])
    order = [index for index, keep in zip(order, kept, strict=True) if keep]
    if not order:
        return ids
    window = 2 * round(SMOOTHING_SHARE * max(people_alpha.shape)) + 1
    smooth = np.stack([cv2.blur(np.ascontiguousarray(alphas[index], np.float32), (window, window)) for index in order])
    smooth[np.stack([alphas[index] for index in order]) <= OPAQUE] = -1
    owners = smooth.argmax(axis=0)
    owned = (smooth.max(axis=0) > -1) & (people_alpha > OPAQUE)
    ids[owned] = np.array(order, np.uint8)[owners[owned]] + 1
    return ids


def _without_repeats(masks: list[np.ndarray]) -> list[bool]:
    """Return for each mask whether it is used: it is not empty and does not show the same person as an earlier mask.

    masks: (H, W) bool each, sorted by score, the highest first.
    """
    kept: list[bool] = []
    for index, mask in enumerate(masks):
        area = int(mask.sum())
        surer = (other for other, keep in zip(masks[:index], kept, strict=True) if keep)
        kept.append(area > 0 and all((mask & other).sum() < SAME_PERSON_SHARE * area for other in surer))
    return kept
