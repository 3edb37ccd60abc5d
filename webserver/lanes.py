"""Thread pools for Django, called lanes: when one lane is full, the others still accept requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Value = TypeVar("Value")


class LaneFull(Exception):
    """Raised when too many requests wait for a thread of this lane."""


class Lane:
    """Run functions in at most `threads` threads in their order; raise LaneFull when `longest_queue` functions wait."""

    def __init__(self, name: str, *, threads: int, longest_queue: int = 2000) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + longest_queue
        self._taken = 0

    async def run(self, work: Callable[..., Value], *args: Any) -> Value:
        """Return the result of `work`; raise LaneFull."""
        if self._taken >= self._most:
            raise LaneFull
        self._taken += 1
        running = asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        running.add_done_callback(self._leave)
        # A cancelled request frees its place only when its thread has finished.
        return await asyncio.shield(running)

    def _leave(self, _: object) -> None:
        self._taken -= 1

    def close(self) -> None:
        """Let running functions finish, and start no new ones."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Lanes:
    """The lanes of one process.

    live: the check that this process runs. probes: the other health checks. short: requests without a large body, and
    requests that continue after a wait. uploads: requests whose large body has been read. memory: those of them that
    parse the whole body in memory. files: reading pieces of files to send.
    """

    def __init__(self, *, threads: int, upload_threads: int) -> None:
        self.live = Lane("live", threads=1)
        self.probes = Lane("probe", threads=2)
        self.short = Lane("short", threads=threads)
        self.uploads = Lane("upload", threads=upload_threads)
        self.memory = Lane("memory", threads=1)
        self.files = Lane("file", threads=4)

    def close(self) -> None:
        for lane in (self.live, self.probes, self.short, self.uploads, self.memory, self.files):
            lane.close()
