"""Threads for Django, in lanes: what fills one lane up leaves the others free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Value = TypeVar("Value")


class LaneFull(Exception):
    """So many requests wait for a thread of a lane that another one would hardly be served."""


class Lane:
    """Run work in at most `threads` threads, first come, first served; refuse it when `longest_queue` waits already."""

    def __init__(self, name: str, *, threads: int, longest_queue: int = 2000) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + longest_queue
        self._taken = 0

    async def run(self, work: Callable[..., Value], *args: Any) -> Value:
        """Return what `work` returns; raise LaneFull."""
        if self._taken >= self._most:
            raise LaneFull
        self._taken += 1
        running = asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        running.add_done_callback(self._leave)
        # A cancelled request gives its place back only when its thread has ended what it does.
        return await asyncio.shield(running)

    def _leave(self, _: object) -> None:
        self._taken -= 1

    def close(self) -> None:
        """Let threads end with what they do; nothing new is begun."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Lanes:
    """Hold the lanes of one process.

    live: the check that this process runs. probes: the other health checks. short: requests without a large body, and
    those that go on after a wait. uploads: requests whose large body has been read. memory: those
    of them that parse it in memory as a whole. files: pieces of files to send.
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
