"""Thread pools for Django, called lanes. When one lane is full, the others still accept requests."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Value = TypeVar("Value")


class LaneFull(Exception):
    """Raised when too many requests wait for a thread of a lane."""


class Lane:
    """A pool of `threads` threads. `run` raises LaneFull if `longest_queue` functions already wait.

    A flow is a group of functions, such as the requests of one client. Functions of the same flow start in the order of
    their calls. Waiting flows get the threads in turn, so that a client with many requests does not delay the other
    clients.

    name: the prefix of the threads' names.
    """

    def __init__(self, name: str, *, threads: int, longest_queue: int = 2000) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._most = threads + longest_queue
        self._taken = 0
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    async def run(self, work: Callable[..., Value], *args: Any, flow: Hashable = None) -> Value:
        """Run `work` with `args` in a thread and return its result. Raise LaneFull if too many functions wait.

        flow: the flow of the function. Functions with an equal flow, None included, wait in one queue.
        """
        if self._taken >= self._most:
            raise LaneFull
        self._taken += 1
        try:
            await self._turn(flow)
        except asyncio.CancelledError:
            self._taken -= 1
            raise
        running = asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        running.add_done_callback(self._leave)
        # A cancelled request frees its place only when its thread has finished.
        return await asyncio.shield(running)

    async def _turn(self, flow: Hashable) -> None:
        """Wait until a thread is free and it is this flow's turn."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(flow, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was this one's turn when the request was cancelled
                self._pass_on()
            raise

    def _leave(self, _: object) -> None:
        self._taken -= 1
        self._pass_on()

    def _pass_on(self) -> None:
        """Give the free thread to the first waiting flow, and move this flow behind the other waiting flows."""
        while self._waiting:
            flow, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[flow] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def close(self) -> None:
        """Start no more functions. Functions that already run are finished."""
        for turns in self._waiting.values():
            for turn in turns:
                turn.cancel()
        self._waiting.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)


class Lanes:
    """The lanes (thread pools) of one process.

    threads, upload_threads: the numbers of threads of `short` and `uploads`.
    probes: the health checks, except `/health/live`, which runs in the event loop.
    short: requests without a large body, and requests that continue after a wait.
    uploads: requests whose large body has been read.
    memory: uploads whose body needs much memory for parsing.
    files: reading of files and of streamed responses while they are sent.
    """

    def __init__(self, *, threads: int, upload_threads: int) -> None:
        self.probes = Lane("probe", threads=2)
        self.short = Lane("short", threads=threads)
        self.uploads = Lane("upload", threads=upload_threads)
        self.memory = Lane("memory", threads=1)
        self.files = Lane("file", threads=4)

    def close(self) -> None:
        for lane in (self.probes, self.short, self.uploads, self.memory, self.files):
            lane.close()
