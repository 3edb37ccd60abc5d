"""Decide which pictures of quality `auto` go on to the fine model: the uncertain ones, within a share and a time."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

WINDOW = 200  # pictures that a worker looks back on
LEAST_SEEN = 10  # pictures before a share means anything


@dataclass(slots=True)
class Escalation:
    """Keep what one worker has seen, and decide for the next picture.

    above: the uncertainty from which a picture may escalate (calibrated by `manage.py compare_quality`).
    max_share: how many of the recent pictures may escalate, 0..1: among them the most uncertain ones.
    max_s: the fine model's mean time, in seconds, from which it is not used.
    """

    above: float
    max_share: float
    max_s: float
    _seen: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _escalated: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _fine_s: float | None = None

    def decide(self, uncertainty: float) -> str:
        """Return `uncertain` for a picture that goes on to the fine model, else why it does not.

        `certain`: below the level. `share`: less uncertain than enough recent pictures, or the share is used up.
        `time`: the fine model takes too long here.
        """
        reason = self._reason(uncertainty)
        self._seen.append(uncertainty)
        self._escalated.append(reason == "uncertain")
        return reason

    def took(self, seconds: float) -> None:
        """Note how long the fine model took; the mean favours recent pictures."""
        self._fine_s = seconds if self._fine_s is None else 0.8 * self._fine_s + 0.2 * seconds

    def _reason(self, uncertainty: float) -> str:
        if uncertainty < self.above:
            return "certain"
        if self._fine_s is not None and self._fine_s > self.max_s:
            return "time"
        if self.max_share <= 0:
            return "share"
        if len(self._seen) >= LEAST_SEEN:
            if sum(self._escalated) + 1 > self.max_share * (len(self._escalated) + 1):
                return "share"
            ranked = sorted(self._seen)
            if uncertainty < ranked[max(0, math.ceil(len(ranked) * (1 - self.max_share)) - 1)]:
                return "share"
        return "uncertain"
