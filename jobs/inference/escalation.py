"""The decision which pictures of quality `auto` the fine model processes after the fast one ("escalation").

These are uncertain pictures, within a maximum share of the pictures and a maximum time.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from threading import Lock

WINDOW = 200  # pictures that a worker remembers
LEAST_SEEN = 10  # pictures that are needed before a share is meaningful
PROBE_AFTER = 20  # pictures refused because of the time before the fine model is tried again
PROBE_AFTER_AT_MOST = 320


@dataclass(slots=True)
class Escalation:
    """The recent uncertainties of one worker, and the decision for the next picture.

    above: the uncertainty (0..1) from which a picture may escalate, calibrated by `manage.py compare_quality`.
    max_share: the share (0..1) of recent pictures that may escalate; the most uncertain ones are preferred. max_s: if
    the fine model's mean time exceeds this number of seconds, pictures do not escalate. After some refusals one
    picture may escalate, to measure whether the model has become fast enough.
    """

    above: float
    max_share: float
    max_s: float
    _seen: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _escalated: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _fine_s: float | None = None
    _refused: int = 0
    _probe_after: int = PROBE_AFTER
    _lock: Lock = field(default_factory=Lock)  # a worker on a GPU processes several pictures at once

    def decide(self, uncertainty: float) -> str:
        """Return `uncertain` if the fine model should process the picture; otherwise the reason why it should not.

        uncertainty: the fast model's (0..1). Reasons: `certain`: the uncertainty is below `above`. `share`: `max_share`
        is used up, or enough recent pictures were more uncertain. `time`: the fine model is too slow here.
        """
        with self._lock:
            reason = self._reason(uncertainty)
            if reason == "uncertain" and self._is_too_slow and not self._is_probe():
                reason = "time"
            self._seen.append(uncertainty)
            self._escalated.append(reason == "uncertain")
            return reason

    def took(self, seconds: float) -> None:
        """Record the time of a run of the fine model, in seconds, in a mean that gives more weight to recent runs.

        If the mean is above `max_s`, a time within `max_s` replaces it, because a mean of old times changes slowly.
        """
        with self._lock:
            if self._fine_s is None or (self._is_too_slow and seconds <= self.max_s):
                self._fine_s = seconds
            else:
                self._fine_s = 0.8 * self._fine_s + 0.2 * seconds
            if not self._is_too_slow:
                self._refused, self._probe_after = 0, PROBE_AFTER

    @property
    def _is_too_slow(self) -> bool:
        return self._fine_s is not None and self._fine_s > self.max_s

    def _is_probe(self) -> bool:
        """Return whether this picture may use the slow model.

        The interval between such pictures doubles up to a maximum.
        """
        if self._refused < self._probe_after:
            self._refused += 1
            return False
        self._refused, self._probe_after = 0, min(2 * self._probe_after, PROBE_AFTER_AT_MOST)
        return True

    def _reason(self, uncertainty: float) -> str:
        if uncertainty < self.above:
            return "certain"
        if self.max_share <= 0:
            return "share"
        if len(self._seen) >= LEAST_SEEN:
            if sum(self._escalated) + 1 > self.max_share * (len(self._escalated) + 1):
                return "share"
            ranked = sorted(self._seen)
            if uncertainty < ranked[max(0, math.ceil(len(ranked) * (1 - self.max_share)) - 1)]:
                return "share"
        return "uncertain"
