"""Functions that merge the request counters of ended processes, so that the folder of the counters stays small.

prometheus_client creates files for each process. When a process ends, its files for counters and histograms remain. Web
processes are replaced regularly, so the number of files would grow.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

# No process has this id; its files contain the sums of all ended processes.
_ENDED = 0
_NAME = re.compile(r"(counter|histogram)_(\d+)\.db")


@contextmanager
def counters_locked(folder: Path) -> Iterator[None]:
    """Return a context manager that locks the folder of the counters while its `with` block runs.

    Only one process at a time may read or merge the counters.
    """
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ended_processes_merge(folder: Path) -> int:
    """Merge the counters of ended processes into one file for each kind of metric.

    Return the number of deleted files. The caller must hold the lock of `counters_locked`.
    """
    count = 0
    for path in sorted(folder.glob("*.db")):
        match = _NAME.fullmatch(path.name)
        if match is None or int(match[2]) == _ENDED or _is_alive(int(match[2])):
            continue
        _add(path, folder / f"{match[1]}_{_ENDED}.db")
        path.unlink()
        count += 1
    return count


def _add(source: Path, target: Path) -> None:
    sums = MmapedDict(str(target))  # type: ignore[no-untyped-call]
    try:
        for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(str(source)):  # type: ignore[no-untyped-call]
            before, _ = sums.read_value(key)  # type: ignore[no-untyped-call]
            sums.write_value(key, before + value, timestamp)  # type: ignore[no-untyped-call]
    finally:
        sums.close()  # type: ignore[no-untyped-call]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
