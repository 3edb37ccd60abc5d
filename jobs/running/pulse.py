"""Detection of worker processes that hang or are stopped, by files that each process touches regularly.

The heartbeat in Redis is not enough, because it is also missing if Redis cannot be reached.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

PULSE_EVERY_S = 1.0
# On a busy machine a working process may hold the interpreter lock for seconds. A process without processor time
# in this period does not work: it is stopped, or waits in native code for an event that does not happen.
HUNG_AFTER_S = 30.0
IDLE_AND_HUNG_AFTER_S = 3.0
_BUSY = ("R", "D")  # states of a thread: running or ready to run, and waiting for a disk


def pulse(pid: int) -> None:
    """Record that the process `pid` is alive, by touching its file."""
    path = _path(pid)
    path.parent.mkdir(exist_ok=True)
    path.touch()


def pulse_forget(pid: int) -> None:
    _path(pid).unlink(missing_ok=True)


class Pulses:
    """The processes that have stopped touching their files.

    A process without a file is still loading its model. Times are compared only by the monotonic clock, so after a
    suspension of the machine each process has its full time again.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, ticks_of: Callable[[int], int | None] | None = None
    ) -> None:
        self._clock = clock
        self._ticks_of = ticks_of or processor_ticks
        self._seen: dict[int, tuple[int, float]] = {}
        self._worked: dict[int, tuple[int | None, float]] = {}

    def is_hung(self, pid: int) -> bool:
        """Return whether the process touched its file at least once, but not for the last HUNG_AFTER_S seconds.

        For a process that uses no processor time the limit is IDLE_AND_HUNG_AFTER_S seconds.
        """
        try:
            beat_ns = _path(pid).stat().st_mtime_ns
        except OSError:
            return False
        now = self._clock()
        ticks = self._ticks_of(pid)
        last_ticks, worked_s = self._worked.get(pid, (None, now))
        if ticks is None or ticks != last_ticks or pid not in self._worked:
            self._worked[pid] = (ticks, now)
            worked_s = now
        last_ns, since_s = self._seen.get(pid, (0, 0.0))
        if beat_ns != last_ns:
            self._seen[pid] = (beat_ns, now)
            return False
        is_idle = min(now - since_s, now - worked_s) > IDLE_AND_HUNG_AFTER_S
        return is_idle or now - since_s > HUNG_AFTER_S

    def forget(self, pid: int) -> None:
        self._seen.pop(pid, None)
        self._worked.pop(pid, None)
        pulse_forget(pid)


def processor_ticks(pid: int) -> int | None:
    """Return the processor time that a process has used, in clock ticks.

    Return None if the system does not report the time, and if a thread of the process runs, waits for a processor or
    waits for a disk, because such a process does not hang.
    """
    try:
        threads = [_fields(path) for path in Path(f"/proc/{pid}/task").glob("*/stat")]
        whole = _fields(Path(f"/proc/{pid}/stat"))
    except OSError:
        return None
    if any(fields[0] in _BUSY for fields in threads):
        return None
    return int(whole[11]) + int(whole[12])


def _fields(path: Path) -> list[str]:
    """Return the fields of a stat file after the name of the program. The first field is the state."""
    return path.read_text().rpartition(")")[2].split()


def _path(pid: int) -> Path:
    return Path(settings.DATA_DIR) / "pulses" / str(pid)
