"""Memory of a training process under jemalloc, which is told to give nothing back by itself.

Giving back after each step costs a third of the time; never giving back keeps what every size of picture once needed,
14 GB after five hundred steps. So it is given back when the size changes.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

ALL_ARENAS = 4096  # MALLCTL_ARENAS_ALL of jemalloc 5


def give_back() -> bool:
    """Return unused memory to the system; False where another allocator is at work."""
    mallctl = getattr(ctypes.CDLL(None), "mallctl", None)
    if mallctl is None:
        return False
    return mallctl(f"arena.{ALL_ARENAS}.purge".encode(), None, None, None, ctypes.c_size_t(0)) == 0


def resident_bytes() -> int:
    """Return how much memory the process holds; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
