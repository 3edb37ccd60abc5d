"""Measure the memory of this process and of its container, and recognize errors that mean that memory ran out."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def rss_bytes() -> int:
    """Return the resident memory of this process in bytes, or 0 if the operating system does not report it."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0


def available_bytes() -> int:
    """Return the memory limit of the container in bytes. Without a limit, return the total memory of the machine."""
    machine = os.sysconf("SC_PHYS_PAGES") * _PAGE_BYTES
    for path in _CGROUP_LIMITS:
        try:
            text = Path(path).read_text().strip()
        except OSError:
            continue
        if text.isdecimal():
            return min(machine, int(text))
    return machine


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception or one of its causes means that memory ran out.

    Each runtime reports a lack of memory in its own way, so the function checks the class and the message.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or type(seen).__name__ == "OutOfMemoryError":
            return True
        text = str(seen).lower()
        if any(word in text for word in ("out of memory", "bad_alloc", "cannot allocate", "failed to allocate")):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
