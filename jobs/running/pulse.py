"""Detection of worker processes that hang or are stopped. Each worker regularly touches its own file (its "pulse").

The heartbeat in Redis is not enough, because it is also missing if Redis cannot be reached.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

PULSE_EVERY_S = 1.0
# On a busy machine a working process may hold the interpreter lock for seconds. A process that hardly works in this
# period is stopped, or waits in native code for an event that does not happen.
HUNG_AFTER_S = 30.0
IDLE_AND_HUNG_AFTER_S = 3.0
# Threads that wait for the interpreter lock wake up 200 times per second, which takes up to this share of a processor.
_IDLE_SHARE = 0.05
_IDLE_CPU_S = 0.03
# A thread that runs, waits for a processor or waits for a disk for this time without a pause works.
STEADY_S = 1.0
_BUSY = ("R", "D")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Activity:
    """The activity of a process, as the operating system reports it.

    cpu_s: the processor time that the process has used since its start, in seconds.
    busy: the ids of the threads that run, wait for a processor or wait for a disk.
    """

    cpu_s: float
    busy: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Idle:
    """A period in which a process uses almost no processor time.

    since_s: the start of the period, on the monotonic clock.
    cpu_s: the process's processor time at the start.
    busy_since_s: the time since which a thread is busy, by thread id.
    """

    since_s: float
    cpu_s: float
    busy_since_s: Mapping[int, float]


def pulse(pid: int) -> None:
    """Record that the process `pid` is alive, by touching its file."""
    path = _path(pid)
    path.parent.mkdir(exist_ok=True)
    path.touch()


def pulse_forget(pid: int) -> None:
    _path(pid).unlink(missing_ok=True)


class Pulses:
    """A check of the pulse files, which finds processes that hang.

    A process without a file is still loading its model and does not count as hung. The time limits use the monotonic
    clock. So each process gets its full time limit again after the machine was suspended.

    clock: a monotonic clock in seconds; tests replace it.
    activity_of: a function that returns the activity of a process; tests replace it.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, activity_of: Callable[[int], Activity | None] | None = None
    ) -> None:
        self._clock = clock
        self._activity_of = activity_of or activity
        self._seen: dict[int, tuple[int, float]] = {}
        self._idle: dict[int, _Idle] = {}

    def is_hung(self, pid: int) -> bool:
        """Return whether the process touched its file at least once, but not in the last HUNG_AFTER_S seconds.

        For a process that hardly uses processor time, the limit is IDLE_AND_HUNG_AFTER_S seconds.
        """
        try:
            beat_ns = _path(pid).stat().st_mtime_ns
        except OSError:
            return False
        now = self._clock()
        idle_since_s = self._idle_since_s(pid, now)
        last_ns, since_s = self._seen.get(pid, (0, 0.0))
        if beat_ns != last_ns:
            self._seen[pid] = (beat_ns, now)
            return False
        is_idle = now - max(since_s, idle_since_s) > IDLE_AND_HUNG_AFTER_S
        return is_idle or now - since_s > HUNG_AFTER_S

    def forget(self, pid: int) -> None:
        self._seen.pop(pid, None)
        self._idle.pop(pid, None)
        pulse_forget(pid)

    def _idle_since_s(self, pid: int, now: float) -> float:
        """Return the time since which the process has used almost no processor time.

        Return `now` if the process works, or if the system does not report its activity.
        """
        found, last = self._activity_of(pid), self._idle.get(pid)
        if found is None:
            self._idle.pop(pid, None)
            return now
        before = last.busy_since_s if last is not None else {}
        busy_since_s = {thread: before.get(thread, now) for thread in found.busy}
        works = any(now - since_s >= STEADY_S for since_s in busy_since_s.values())
        if last is None or works or found.cpu_s - last.cpu_s > _IDLE_CPU_S + _IDLE_SHARE * (now - last.since_s):
            self._idle[pid] = _Idle(now, found.cpu_s, busy_since_s)
        else:
            self._idle[pid] = replace(last, busy_since_s=busy_since_s)
        return self._idle[pid].since_s


def activity(pid: int) -> Activity | None:
    """Return the activity of a process, or None if the system does not report it."""
    try:
        threads = {int(path.parent.name): _fields(path) for path in Path(f"/proc/{pid}/task").glob("*/stat")}
        whole = _fields(Path(f"/proc/{pid}/stat"))
    except OSError:
        return None
    busy = frozenset(thread for thread, fields in threads.items() if fields[0] in _BUSY)
    return Activity((int(whole[11]) + int(whole[12])) / _TICKS_PER_S, busy)


def _fields(path: Path) -> list[str]:
    """Return the fields of a `/proc` stat file after the program's name. The first field is the process state."""
    return path.read_text().rpartition(")")[2].split()


def _path(pid: int) -> Path:
    return Path(settings.DATA_DIR) / "pulses" / str(pid)
