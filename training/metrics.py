"""Measures from the literature of how well an alpha agrees with the true alpha.

The functions take alphas as (H, W) float arrays in 0..1 of the same size. Measures of sets of pixels treat the true
alpha as binary: above 0.5 or not. The functions do not depend on how an alpha was computed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np

BETA_SQUARED = 0.3  # Achanta et al., Frequency-tuned salient region detection, CVPR 2009
THRESHOLDS = 255
STRUCTURE_ALPHA = 0.5  # Fan et al., Structure-measure, ICCV 2017
BAND_SHARE = 0.01  # share of the picture's diagonal, on each side of an edge
TINY = 1e-8


def precision_recall(alpha: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return precision and recall, (255,) each, for the pixels with alpha >= t / 255, for t = 1…255.

    The precision is 0 if no pixel is selected.
    """
    solid = truth > 0.5
    levels = np.clip(np.rint(alpha * 255), 0, 255).astype(np.uint8)
    hits = np.bincount(levels[solid], minlength=256)[::-1].cumsum()[::-1][1:]
    chosen = np.bincount(levels.ravel(), minlength=256)[::-1].cumsum()[::-1][1:]
    return hits / np.maximum(chosen, 1), hits / max(int(solid.sum()), 1)


def f_measure(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """Return the F-measure with beta squared 0.3, which weights precision more than recall (Achanta et al. 2009)."""
    return (1 + BETA_SQUARED) * precision * recall / np.maximum(BETA_SQUARED * precision + recall, TINY)


def mean_absolute_error(alpha: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean absolute difference of both alphas (Perazzi et al., Saliency Filters, CVPR 2012)."""
    return float(np.abs(alpha.astype(np.float64) - truth).mean())


def intersection_over_union(alpha: np.ndarray, truth: np.ndarray) -> float:
    """Return the intersection over union of the pixels above 0.5 in both alphas, or 1 if neither has such pixels."""
    chosen, solid = alpha > 0.5, truth > 0.5
    either = int((chosen | solid).sum())
    return float((chosen & solid).sum() / either) if either else 1.0


def opaque_share(alpha: np.ndarray) -> float:
    """Return the share of the picture, 0..1, with an alpha above 0.5."""
    return float((alpha > 0.5).mean())


def boundary_error(alpha: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean absolute difference in a band around the edges of the true alpha, or 0 if it has no edges.

    The band contains the pixels whose distance to a soft or sharp change of the true alpha is at most 1 % of the
    diagonal. It corresponds to the unknown region of a trimap (Rhemann et al., A perceptually motivated benchmark for
    image matting, CVPR 2009).
    """
    radius = max(1, round(BAND_SHARE * float(np.hypot(*truth.shape))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    solid = truth.astype(np.float32)
    band = cv2.dilate(solid, disc) - cv2.erode(solid, disc) > 0.1
    return float(np.abs(alpha - truth)[band].mean()) if band.any() else 0.0


def structure_measure(alpha: np.ndarray, truth: np.ndarray) -> float:
    """Return the S-measure, 0..1: the mean of the similarity of objects and of regions (Fan et al. 2017).

    If the truth is only background, return the mean of 1 - alpha. If it is only subject, return the mean of alpha.
    """
    solid = (truth > 0.5).astype(np.float64)
    alpha = alpha.astype(np.float64)
    share = solid.mean()
    if share == 0:
        return float(1 - alpha.mean())
    if share == 1:
        return float(alpha.mean())
    subject = _object_score(alpha[solid == 1])
    ground = _object_score(1 - alpha[solid == 0])
    objects = share * subject + (1 - share) * ground
    return float(max(0.0, STRUCTURE_ALPHA * objects + (1 - STRUCTURE_ALPHA) * _region_score(alpha, solid)))


def _object_score(values: np.ndarray) -> float:
    """Return a score that is high if the alphas of a region are high and almost equal (Fan et al. 2017, eq. 5)."""
    mean = values.mean()
    spread = values.std(ddof=1) if values.size > 1 else 0.0
    return 2 * mean / (mean**2 + 1 + spread + TINY)


def _region_score(alpha: np.ndarray, solid: np.ndarray) -> float:
    """Return the mean similarity of both alphas in the four parts of the picture around the true subject's centroid.

    The mean is weighted by area (Fan et al. 2017, eq. 3).
    """
    rows, columns = np.nonzero(solid)
    row, column = int(rows.mean() + 0.5) + 1, int(columns.mean() + 0.5) + 1
    score = 0.0
    for down in (slice(0, row), slice(row, None)):
        for across in (slice(0, column), slice(column, None)):
            part = solid[down, across]
            if part.size:
                score += part.size / solid.size * _similarity(alpha[down, across], part)
    return score


def _similarity(alpha: np.ndarray, truth: np.ndarray) -> float:
    """Return the structural similarity of two regions, without the constants of SSIM (Fan et al. 2017, eq. 2)."""
    freedom = max(alpha.size - 1, 1)
    alpha_mean, truth_mean = alpha.mean(), truth.mean()
    alpha_spread = ((alpha - alpha_mean) ** 2).sum() / freedom
    truth_spread = ((truth - truth_mean) ** 2).sum() / freedom
    together = ((alpha - alpha_mean) * (truth - truth_mean)).sum() / freedom
    above = 4 * alpha_mean * truth_mean * together
    below = (alpha_mean**2 + truth_mean**2) * (alpha_spread + truth_spread)
    if above != 0:
        return above / (below + TINY)
    return 1.0 if below == 0 else 0.0


@dataclass
class SubjectScores:
    """The measures of many pictures. Pictures without a subject count only for the measure `empty_opaque_share`."""

    precision: list[np.ndarray] = field(default_factory=list)
    recall: list[np.ndarray] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    structures: list[float] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)
    boundaries: list[float] = field(default_factory=list)
    empty_opaque: list[float] = field(default_factory=list)

    def add(self, alpha: np.ndarray, truth: np.ndarray | None) -> None:
        """Add the measures of one picture.

        truth: the true alpha. It is None or 0 everywhere if the picture has no subject.
        """
        if truth is None or not (truth > 0.5).any():
            self.empty_opaque.append(opaque_share(alpha))
            return
        precision, recall = precision_recall(alpha, truth)
        self.precision.append(precision)
        self.recall.append(recall)
        self.errors.append(mean_absolute_error(alpha, truth))
        self.structures.append(structure_measure(alpha, truth))
        self.overlaps.append(intersection_over_union(alpha, truth))
        self.boundaries.append(boundary_error(alpha, truth))

    def summary(self) -> dict[str, float]:
        """Return the means of the measures, and the number of pictures.

        The F-measure (`max_f`, `mean_f`) is computed from mean precision and mean recall, as is usual for the data set
        DUTS. A measure is left out if no picture has a value for it.
        """
        figures: dict[str, float] = {"pictures": len(self.errors) + len(self.empty_opaque)}
        if self.errors:
            curve = f_measure(np.mean(self.precision, axis=0), np.mean(self.recall, axis=0))
            figures |= {
                "max_f": float(curve.max()),
                "mean_f": float(curve.mean()),
                "mae": mean(self.errors),
                "s_measure": mean(self.structures),
                "iou": mean(self.overlaps),
                "boundary_mad": mean(self.boundaries),
            }
        if self.empty_opaque:
            figures["empty_opaque_share"] = mean(self.empty_opaque)
        return figures


def mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
