"""Threads ("lanes") that process several pictures of one worker at the same time, so that its GPU can batch them.

RQ treats the queue message of a picture as done when the picture's thread starts. After that, the lease of the picture
ensures that a lost picture is processed again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from threading import Condition

from django.db import close_old_connections

from jobs.telemetry.transitions import worker_busy
from jobs.work.hangs import HANG_MARGIN_S, hang_guard

logger = logging.getLogger(__name__)


class Lanes:
    """The threads for a worker's pictures.

    Before `open` is called, there are no threads, and the worker processes one picture at a time.
    The main thread can be stopped at the time limit of its picture, but other threads cannot. Therefore the whole
    process ends if a picture takes longer than its limit plus HANG_MARGIN_S. Afterwards each of the pictures in
    progress is processed alone.
    """

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._count = 0
        self._running = 0
        self._busy_since_s = 0.0  # start of the busy time that has not been reported yet
        self._changed = Condition()  # guards the attributes above

    @property
    def is_open(self) -> bool:
        return self._threads is not None

    def open(self, count: int) -> None:
        """Create `count` threads, so that `count` pictures can be processed at the same time.

        If `count` is 1, nothing changes.
        """
        if count > 1:
            self._count = count
            self._threads = ThreadPoolExecutor(count, thread_name_prefix="picture")

    def wait_for_room(self, timeout_s: float) -> bool:
        """Wait until another picture can start, for at most `timeout_s` seconds. Return whether it can start."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.is_open or self._running < self._count, timeout_s)

    def start(self, work: Callable[[], None], *, limit_s: float | None, queue_name: str) -> None:
        """Start `work` in a thread. Call this method only after `wait_for_room` has returned True.

        Exceptions of `work` are logged.
        limit_s: the time limit of `work` in seconds; None means no limit.
        queue_name: the name of the queue; the metrics add the busy time to this queue.
        """
        if self._threads is None:
            raise RuntimeError("the lanes are not open")
        with self._changed:
            if not self._running:
                self._busy_since_s = time.monotonic()
            self._running += 1
        self._threads.submit(self._run, work, limit_s, queue_name)

    def drain(self) -> None:
        """Wait until no picture is being processed."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)

    def _run(self, work: Callable[[], None], limit_s: float | None, queue_name: str) -> None:
        guard: AbstractContextManager[None] = hang_guard.limit(limit_s + HANG_MARGIN_S) if limit_s else nullcontext()
        try:
            with guard:
                close_old_connections()
                work()
        except Exception:
            logger.exception("a picture has not been processed; the sweep queues it again")
        finally:
            close_old_connections()
            with self._changed:
                now_s = time.monotonic()
                seconds, self._busy_since_s = now_s - self._busy_since_s, now_s
                self._running -= 1
                self._changed.notify_all()
            worker_busy(queue=queue_name, seconds=seconds)


lanes = Lanes()
