"""See whether a worker process hangs or is stopped: each touches a file while it is able to run its heartbeat.

The heartbeat in Redis cannot tell this apart from a broker that is away.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

# Six times the interval of the heartbeat: a decoder may hold the interpreter for seconds on a busy machine.
HUNG_AFTER_S = 30.0


def pulse(pid: int) -> None:
    """Record that a process is alive and able to work."""
    path = _path(pid)
    path.parent.mkdir(exist_ok=True)
    path.touch()


def pulse_forget(pid: int) -> None:
    _path(pid).unlink(missing_ok=True)


class Pulses:
    """Tell which processes have stopped pulsing. A process that has not begun to, since it loads a model, is fine.

    Only the monotonic clock is compared: after a suspension of the machine every process has its full time again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, tuple[int, float]] = {}

    def is_hung(self, pid: int) -> bool:
        """Return whether the process has pulsed and then not again for HUNG_AFTER_S."""
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
