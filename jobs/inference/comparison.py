"""Compare the qualities `fast`, `fine` and `auto` on photos with known masks.

With the quality `auto`, the fast model processes each photo first. If its result is uncertain, the photo is escalated:
the fine model processes it too.

The results are the mean time, the mean error, the share of escalated photos, and how well the fast model's uncertainty
predicts its error. Each model runs once on each photo. The results of `auto` are calculated from these measurements,
for several thresholds of the uncertainty.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import cv2
import numpy as np

from jobs.inference.escalation import Escalation
from segmentation.engines.base import Engine
from segmentation.pipeline import uncertainty_of

SHARES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8)
# The goal of `auto`: an error close to the fine model's in less than half of its time.
ERROR_WITHIN, TIME_BELOW = 1.10, 0.45
SHIPPED_ABOVE, SHIPPED_SHARE = 0.2, 0.35  # the defaults of MATTING_AUTO_ABOVE and MATTING_AUTO_SHARE
_ORDERS = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements of the two models on one photo.

    fast_error, fine_error: the mean absolute difference between the result and the mask (0..1).
    fast_s, fine_s: the time of the model in seconds.
    uncertainty: the uncertainty of the fast model's result (0..1).
    name: the photo's name.
    """

    uncertainty: float
    fast_error: float
    fine_error: float
    fast_s: float
    fine_s: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The mean result of one quality on all photos.

    above: the uncertainty threshold of `auto`; None for other qualities.
    mean_s: the mean time in seconds.
    error: the mean error (0..1).
    escalated_share: the share of photos (0..1) that the fine model processed.
    """

    quality: str
    above: float | None
    mean_s: float
    error: float
    escalated_share: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The measurements of a fast and a fine model on a set of photos.

    fast, fine: the names and versions of the models.
    """

    fast: str
    fine: str
    photos: tuple[Measured, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Comparison:
        photos = tuple(Measured(**photo) for photo in stored["photos"])
        return cls(str(stored["fast"]), str(stored["fine"]), photos)

    def by_set(self) -> list[tuple[str, Comparison]]:
        """Return pairs of a title and a comparison: first for all photos, then for each set if there are several sets.

        The part of a photo's name before the first slash is the name of its set.
        """
        names = sorted({one.name.partition("/")[0] for one in self.photos if "/" in one.name})
        parts = [(f"Set {name}", self._of(name)) for name in names if len(names) > 1]
        return [("All photos", self), *parts]

    def _of(self, name: str) -> Comparison:
        photos = (one for one in self.photos if one.name.startswith(f"{name}/"))
        return Comparison(self.fast, self.fine, tuple(photos))

    def markdown(self) -> str:
        """Return a Markdown report: a table of the results, and how well the uncertainty predicts the error.

        The table contains `fast`, `fine`, and `auto` at several thresholds.
        """
        found = outcomes(self.photos)
        fast, fine = found[:2]
        lines = [
            f"{len(self.photos)} photos, fast {self.fast}, fine {self.fine}.",
            "",
            "| quality | level | share escalated | mean time | of fine's time | mean error | of fine's error |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        lines += [_row(f"`{one.quality}`", one, fine) for one in found]
        lines.append(_row("`auto` as shipped", replayed(self.photos), fine))
        held, best = error_held_by_most_uncertain(self.photos), best_possible(self.photos)
        lines += [
            "",
            f"The 20 % most uncertain photos hold {held:.0%} of the fast model's error; the 20 % worst ones, which a "
            f"perfect measure would find, hold {best:.0%}.",
        ]
        if fine.error < fast.error:
            gained = [f"{gain_found(self.photos, share=share):.0%}" for share in (0.2, 0.3)]
            lines.append(
                f"Of the error that the fine model takes away, {gained[0]} are in the 20 % most uncertain photos and "
                f"{gained[1]} in 30 %."
            )
        if chosen := recommended(self.photos):
            lines.append(
                f"Within {ERROR_WITHIN - 1:.0%} of fine's error at under {TIME_BELOW:.0%} of its time: level "
                f"{chosen.above:.3f}, {chosen.escalated_share:.0%} escalated."
                if chosen.above is not None
                else "The fast model alone is within the error that was asked for."
            )
        else:
            lines.append(
                f"No level comes within {ERROR_WITHIN - 1:.0%} of fine's error at under {TIME_BELOW:.0%} of its time; "
                "the table is the trade-off."
            )
        return "\n".join(lines)


def measure(photos: Iterable[tuple[str, np.ndarray, np.ndarray]], fast: Engine, fine: Engine) -> list[Measured]:
    """Run both models on each photo, and return the measurements in the order of the photos.

    photos: tuples of a name, a photo (H, W, 3) uint8 RGB, and its mask (H, W) float32 0..1. Mask pixels that are NaN
        are ignored.
    """
    measured = []
    for name, rgb, mask in photos:
        fast_alpha, fast_s = _timed(fast, rgb)
        fine_alpha, fine_s = _timed(fine, rgb)
        errors = error_of(fast_alpha, mask), error_of(fine_alpha, mask)
        measured.append(Measured(uncertainty_of(fast_alpha), *errors, fast_s, fine_s, name))
    return measured


def outcomes(measured: Sequence[Measured], *, shares: Sequence[float] = SHARES) -> list[Outcome]:
    """Return the results of `fast`, of `fine`, and of `auto` at one threshold for each value of `shares`.

    shares: the shares (0..1) of the photos that `auto` escalates to the fine model.
    """
    ranked = sorted(measured, key=lambda one: -one.uncertainty)
    found = [_outcome("fast", ranked, 0), _outcome("fine", ranked, len(ranked))]
    found += [_outcome("auto", ranked, round(share * len(ranked))) for share in shares]
    return found


def replayed(
    measured: Sequence[Measured], *, above: float = SHIPPED_ABOVE, max_share: float = SHIPPED_SHARE
) -> Outcome:
    """Simulate the decisions of a worker with the quality `auto`, and return the mean result of 200 random orders.

    The order of the photos matters, because a worker knows only the pictures before the current one. The time limit is
    not simulated.

    above, max_share: the parameters of Escalation.
    """
    chance = np.random.default_rng(0)
    found = []
    for _ in range(_ORDERS):
        escalation = Escalation(above=above, max_share=max_share, max_s=math.inf)
        photos = [measured[index] for index in chance.permutation(len(measured))]
        fine = {index for index, one in enumerate(photos) if escalation.decide(one.uncertainty) == "uncertain"}
        ordered = [one for index, one in enumerate(photos) if index in fine]
        ordered += [one for index, one in enumerate(photos) if index not in fine]
        found.append(_outcome("auto", ordered, len(fine)))
    return Outcome(
        quality="auto",
        above=above,
        mean_s=fmean(one.mean_s for one in found),
        error=fmean(one.error for one in found),
        escalated_share=fmean(one.escalated_share for one in found),
    )


def recommended(measured: Sequence[Measured]) -> Outcome | None:
    """Return the result of `auto` that escalates the fewest photos and still has a low enough error.

    The error must be at most ERROR_WITHIN times the error of `fine`. Return None if the time of this result is not
    below TIME_BELOW times the time of `fine`.
    """
    ranked = sorted(measured, key=lambda one: -one.uncertainty)
    fine = _outcome("fine", ranked, len(ranked))
    for count in range(len(ranked) + 1):
        one = _outcome("auto", ranked, count)
        if one.error <= ERROR_WITHIN * fine.error:
            return one if one.mean_s < TIME_BELOW * fine.mean_s else None
    return None


def error_held_by_most_uncertain(measured: Sequence[Measured], *, share: float = 0.2) -> float:
    """Return which part (0..1) of the fast model's total error comes from the most uncertain photos.

    share: the share (0..1) of all photos that counts as the most uncertain ones.
    """
    return _held([one.fast_error for one in sorted(measured, key=lambda one: -one.uncertainty)], share)


def best_possible(measured: Sequence[Measured], *, share: float = 0.2) -> float:
    """Return which part (0..1) of the fast model's total error comes from the photos with the largest errors.

    No measure of uncertainty can find a larger part.

    share: the share (0..1) of all photos that counts as those with the largest errors.
    """
    return _held(sorted((one.fast_error for one in measured), reverse=True), share)


def gain_found(measured: Sequence[Measured], *, share: float) -> float:
    """Return which part (0..1) of the fine model's total improvement comes from the most uncertain photos.

    The improvement is the fast model's error minus the fine model's error.

    share: the share (0..1) of all photos that counts as the most uncertain ones.
    """
    ranked = sorted(measured, key=lambda one: -one.uncertainty)
    return _held([one.fast_error - one.fine_error for one in ranked], share)


def error_of(alpha: np.ndarray, mask: np.ndarray) -> float:
    """Return the mean absolute difference (0..1) between a predicted alpha (h, w) and the true mask (H, W).

    The alpha is resized to the size of the mask. Mask pixels that are NaN are ignored.
    """
    height, width = mask.shape
    return float(np.nanmean(np.abs(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR) - mask)))


def _row(label: str, one: Outcome, fine: Outcome) -> str:
    level = "" if one.above is None else f"{one.above:.3f}"
    cells = (
        *(label, level, f"{one.escalated_share:.0%}", f"{one.mean_s * 1000:.0f} ms"),
        *(f"{one.mean_s / fine.mean_s:.0%}", f"{one.error:.4f}", f"{one.error / fine.error:.2f}×"),
    )
    return f"| {' | '.join(cells)} |"


def _held(values: Sequence[float], share: float) -> float:
    total = sum(values)
    return sum(values[: round(share * len(values))]) / total if total else 0.0


def _outcome(quality: str, ranked: Sequence[Measured], escalated: int) -> Outcome:
    fine, fast = ranked[:escalated], ranked[escalated:]
    # `auto` runs the fast model on every picture first; `fine` does not.
    first_s = sum(one.fast_s for one in (ranked if quality != "fine" else fast))
    count = max(1, len(ranked))
    return Outcome(
        quality=quality,
        above=fine[-1].uncertainty if quality == "auto" and fine else None,
        mean_s=(first_s + sum(one.fine_s for one in fine)) / count,
        error=(sum(one.fine_error for one in fine) + sum(one.fast_error for one in fast)) / count,
        escalated_share=len(fine) / count,
    )


def _timed(engine: Engine, rgb: np.ndarray) -> tuple[np.ndarray, float]:
    started = time.perf_counter()
    alpha = engine.auto(rgb).alpha
    return alpha, time.perf_counter() - started
