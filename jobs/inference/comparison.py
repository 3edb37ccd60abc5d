"""Compare the qualities on photos with masks: time, share of escalated photos, error, and value of the uncertainty."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.engines.base import Engine
from segmentation.pipeline import uncertainty_of


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements of one photo.

    Error (mean absolute, 0..1) and time of both models, and the fast model's uncertainty.
    """

    uncertainty: float
    fast_error: float
    fine_error: float
    fast_s: float
    fine_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one way to process all photos. `above`: the level of `auto`; None for the other qualities."""

    quality: str
    above: float | None
    mean_s: float
    error: float
    escalated_share: float


def measure(photos: Iterable[tuple[np.ndarray, np.ndarray]], fast: Engine, fine: Engine) -> list[Measured]:
    """Run both models on each photo, (H, W, 3) uint8, and compare the alpha with its mask, (H, W) float32 0..1."""
    measured = []
    for rgb, mask in photos:
        fast_alpha, fast_s = _asked(fast, rgb)
        fine_alpha, fine_s = _asked(fine, rgb)
        measured.append(
            Measured(uncertainty_of(fast_alpha), _error(fast_alpha, mask), _error(fine_alpha, mask), fast_s, fine_s)
        )
    return measured


def outcomes(measured: Sequence[Measured], *, shares: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5)) -> list[Outcome]:
    """Return the outcomes of fast, fine, and `auto` at the level for each share of escalated photos."""
    ranked = sorted(measured, key=lambda one: -one.uncertainty)
    found = [_outcome("fast", ranked, 0), _outcome("fine", ranked, len(ranked))]
    found += [_outcome("auto", ranked, round(share * len(ranked))) for share in shares]
    return found


def error_held_by_most_uncertain(measured: Sequence[Measured], *, share: float = 0.2) -> float:
    """Return the share (0..1) of the fast model's total error that comes from the most uncertain photos."""
    ranked = sorted(measured, key=lambda one: -one.uncertainty)
    total = sum(one.fast_error for one in ranked)
    held = sum(one.fast_error for one in ranked[: round(share * len(ranked))])
    return held / total if total else 0.0


def _outcome(quality: str, ranked: Sequence[Measured], escalated: int) -> Outcome:
    fine, fast = ranked[:escalated], ranked[escalated:]
    # `auto` has asked the fast model first; `fine` does not.
    first_s = sum(one.fast_s for one in (ranked if quality != "fine" else fast))
    count = max(1, len(ranked))
    return Outcome(
        quality=quality,
        above=fine[-1].uncertainty if quality == "auto" and fine else None,
        mean_s=(first_s + sum(one.fine_s for one in fine)) / count,
        error=(sum(one.fine_error for one in fine) + sum(one.fast_error for one in fast)) / count,
        escalated_share=len(fine) / count,
    )


def _asked(engine: Engine, rgb: np.ndarray) -> tuple[np.ndarray, float]:
    started = time.perf_counter()
    alpha = engine.auto(rgb).alpha
    return alpha, time.perf_counter() - started


def _error(alpha: np.ndarray, mask: np.ndarray) -> float:
    """Return the mean absolute difference, after resizing the alpha to the mask's size."""
    height, width = mask.shape
    return float(np.abs(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR) - mask).mean())
