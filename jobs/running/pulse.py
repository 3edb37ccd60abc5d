"""Detect worker processes that hang or are stopped, by files that each process touches regularly.

The heartbeat in Redis is not enough for this: it is also missing when Redis cannot be reached.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

# Six times the interval of the heartbeat: a decoder may hold the interpreter for seconds on a busy machine.
HUNG_AFTER_S = 30.0


def pulse(pid: int) -> None:
    """Record that this process is alive, by touching its file."""
    path = _path(pid)
    path.parent.mkdir(exist_ok=True)
    path.touch()


def pulse_forget(pid: int) -> None:
    _path(pid).unlink(missing_ok=True)


class Pulses:
    """Find processes that have stopped touching their files. A process that has not started to is loading its model.

    Times are compared by the monotonic clock only, so after a suspension of the machine each process has its full time
    again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, tuple[int, float]] = {}

    def is_hung(self, pid: int) -> bool:
        """Return whether the process touched its file at least once and then not for HUNG_AFTER_S seconds."""
        try:
            beat_ns = _path(pid).stat().st_mtime_ns
        except OSError:
            return False
        last_ns, since_s = self._seen.get(pid, (0, 0.0))
        if beat_ns != last_ns:
            self._seen[pid] = (beat_ns, self._clock())
            return False
        return self._clock() - since_s > HUNG_AFTER_S

    def forget(self, pid: int) -> None:
        self._seen.pop(pid, None)
        pulse_forget(pid)


def _path(pid: int) -> Path:
    return Path(settings.DATA_DIR) / "pulses" / str(pid)
