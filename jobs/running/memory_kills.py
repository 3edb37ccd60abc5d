"""Detection of processes that the system has killed to free memory.

The detection works only on systems that count the killed processes.
"""

from __future__ import annotations

from pathlib import Path

_COUNTERS = ("/proc/vmstat", "/sys/fs/cgroup/memory.events")


class MemoryKills:
    """The number of processes that the kernel has killed to free memory, on the machine and in this container.

    counters: the files from which the number is read; a missing file counts as 0.
    """

    def __init__(self, counters: tuple[str, ...] = _COUNTERS) -> None:
        self._counters = counters
        self._last = self._count()

    def has_grown(self) -> bool:
        """Return whether the system has killed a process to free memory since the last call or since the start."""
        count, last = self._count(), self._last
        self._last = count
        return count > last

    def _count(self) -> int:
        return sum(_oom_kills(Path(path)) for path in self._counters)


def _oom_kills(path: Path) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
