"""Decide which pictures of quality `auto` are escalated, that is, processed by the fine model after the fast model.

Only uncertain pictures are escalated. Their share and the time of the fine model are limited.
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
    """Decides which pictures of one worker are escalated. To decide this, it stores recent uncertainties.

    While the fine model is too slow, one picture is escalated from time to time, to measure whether the model is fast
    enough again.

    above: the smallest uncertainty (0..1) of a picture that may be escalated. `manage.py compare_quality` measures a
        good value.
    max_share: the largest share (0..1) of recent pictures that may be escalated. The most uncertain pictures are
        preferred.
    max_s: if the mean time of the fine model exceeds this number of seconds, pictures are not escalated.
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
        """Return `uncertain` if the fine model should process the picture; otherwise return the reason why not.

        uncertainty: the uncertainty of the fast model's result (0..1).

        The reason is `certain` if the uncertainty is below `above`. It is `share` if `max_share` is used up, or if
        enough recent pictures were more uncertain. It is `time` if the fine model is too slow on this machine.
        """
        with self._lock:
            reason = self._reason(uncertainty)
            if reason == "uncertain" and self._is_too_slow and not self._is_probe():
                reason = "time"
            self._seen.append(uncertainty)
            self._escalated.append(reason == "uncertain")
            return reason

    def took(self, seconds: float) -> None:
        """Add the time of one run of the fine model to the mean time. Recent runs have more weight in the mean.

        If the mean is above `max_s` and the new time is not, the new time replaces the mean, because the mean would
        change too slowly.

        seconds: the time of the run in seconds.
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
        """Return whether this picture is escalated only to measure the fine model's time.

        The number of pictures between two of these measurements doubles each time, up to a maximum.
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
