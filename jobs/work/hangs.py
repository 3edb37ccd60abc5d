"""End this process when a piece of work hangs in native code, where no exception reaches it."""

from __future__ import annotations

import faulthandler
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class HangGuard:
    """Limit the duration of several pieces of work that run at the same time.

    The process has a single timer outside Python's control. It is always set to the earliest end.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends_s: dict[object, float] = {}

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Write the stack to standard error and end the process if the block takes longer than `seconds`."""
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
