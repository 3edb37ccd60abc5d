"""A time limit that ends this process if a task hangs in native code. Exceptions have no effect in native code."""

from __future__ import annotations

import faulthandler
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class HangGuard:
    """A time limit for several tasks that run at the same time in this process.

    The process has a single timer, which Python code cannot block. The timer expires at the earliest time limit of the
    running tasks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends_s: dict[object, float] = {}

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Return a context manager that limits the time of its `with` block to `seconds`.

        If the block takes longer, write the stack to standard error and end the process.
        """
        work = object()
        with self._lock:
            self._ends_s[work] = time.monotonic() + seconds
            self._set_timer()
        try:
            yield
        finally:
            with self._lock:
                del self._ends_s[work]
                self._set_timer()

    def _set_timer(self) -> None:
        if self._ends_s:
            left_s = min(self._ends_s.values()) - time.monotonic()
            faulthandler.dump_traceback_later(max(left_s, 0.001), exit=True)
        else:
            faulthandler.cancel_dump_traceback_later()


hang_guard = HangGuard()
# How many seconds a task may continue after its time limit, for example to write its failure.
HANG_MARGIN_S = 30
