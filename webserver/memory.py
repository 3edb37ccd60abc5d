"""A lock for large bodies: in all web processes of a machine, only one large body is parsed in memory at a time."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MachineSlot:
    """A lock that only one thread of all web processes can hold at a time. It is released when the process ends.

    lock_file: the descriptor of a file that the processes share; None if there is only one process.
    """

    def __init__(self, lock_file: int | None) -> None:
        self._lock_file = lock_file
        self._mine = threading.Lock()  # a file lock excludes other processes, but no other thread of this one

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the lock, and hold it during the block."""
        with self._mine:
            if self._lock_file is None:
                yield
                return
            fcntl.lockf(self._lock_file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._lock_file, fcntl.LOCK_UN)
