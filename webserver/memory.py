"""One large body in memory at a time, over all web processes of a machine."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MachineSlot:
    """Let one thread of all processes in at a time.

    lock_file: the number of an open file that all processes have; None: there is no other process. A process that ends
    gives the slot back.
    """

    def __init__(self, lock_file: int | None) -> None:
        self._lock_file = lock_file
        self._mine = threading.Lock()  # a lock on a file keeps out other processes, and no other thread of this one

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the slot, and hold it during the block."""
        with self._mine:
            if self._lock_file is None:
                yield
                return
            fcntl.lockf(self._lock_file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._lock_file, fcntl.LOCK_UN)
