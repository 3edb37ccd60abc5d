"""Decode pictures in separate processes, so that a picture cannot crash a web process or use up its memory.

Each web process has two such child processes: `checks` checks uploads, and `renderings` renders variants of results. So
a large rendering does not delay uploads. Only one large picture at a time is processed on the machine. If the setting
MATTING_PIXEL_PROCESSES is off, the work runs in the calling thread.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import resource
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings

from jobs.errors import RateLimited, ServerBusy

Value = TypeVar("Value")

# The errors of a function whose process has ended, or which exceeded the memory limit.
PROCESS_FAILED = (BrokenProcessPool, CancelledError, MemoryError)
LARGE_PIXELS = 12_000_000
_NICENESS = 5  # requests have priority on a busy processor
_MEMORY_BYTES = 6 * 2**30  # the limit of the address space; a picture of 50 megapixels needs half of it
_TASK_S = 60  # seconds of processor time


class PixelProcess:
    """A child process that runs functions, one at a time.

    longest_queue: the number of functions that may wait.
    idle_s: the process ends after this number of seconds without a call. The next call starts a new process.

    A function that exceeds the memory limit raises MemoryError. If a function exceeds the limit of CPU time or crashes,
    the process ends. In this case the future of this function and the futures of all waiting functions raise an error
    of a class in PROCESS_FAILED. The method `run` tries once again in a new process.
    """

    def __init__(self, *, longest_queue: int, idle_s: float) -> None:
        self._longest_queue, self._idle_s = longest_queue, idle_s
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._under_way = 0
        self._timer: threading.Timer | None = None

    def submit(self, work: Callable[..., Value], *args: Any, pixels: int = 0) -> Future[Value]:
        """Start or queue the call `work(*args)`, and return its future. Raise ServerBusy if too many functions wait.

        pixels: the number of pixels that the function processes. Only one function with a large number runs at a time
            on the machine.
        """
        if not settings.MATTING_PIXEL_PROCESSES:
            return _done_here(work, *args)
        with self._lock:
            if self._under_way > self._longest_queue:
                raise ServerBusy
            try:
                future = self._submit(work, *args, pixels=pixels)
            except BrokenProcessPool:  # the picture of another caller has ended the process
                self._pool = None
                future = self._submit(work, *args, pixels=pixels)
            self._under_way += 1
            if self._timer is not None:
                self._timer.cancel()
        future.add_done_callback(self._ended)
        return future

    def run(self, work: Callable[..., Value], *args: Any, pixels: int = 0) -> Value:
        """Run `work(*args)` in the child process and return its result.

        Raise the error that `work` raises, or an error of a class in PROCESS_FAILED if the process ended twice. Raise
        ServerBusy if too many functions wait.

        pixels: the number of pixels that the function processes, as for `submit`.
        """
        for is_last in (False, True):
            try:
                return self.submit(work, *args, pixels=pixels).result()
            except (BrokenProcessPool, CancelledError):
                if is_last:  # at the first failure, another function may have ended the process
                    raise
        raise AssertionError

    def _submit(self, work: Callable[..., Value], *args: Any, pixels: int) -> Future[Value]:
        if self._pool is None:
            # A new process, not a fork: the threads and connections of a web process do not survive a fork.
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=_begin_process)
        lock = str(Path(settings.DATA_DIR) / "large-picture.lock") if pixels > LARGE_PIXELS else ""
        return self._pool.submit(_bounded, lock, work, *args)

    def _ended(self, _: object) -> None:
        with self._lock:
            self._under_way -= 1
            if self._under_way == 0:
                self._timer = threading.Timer(self._idle_s, self._let_go)
                self._timer.daemon = True
                self._timer.start()

    def _let_go(self) -> None:
        with self._lock:
            if self._under_way == 0 and self._pool is not None:
                self._pool.shutdown(wait=False)
                self._pool = None


class TeamShares:
    """Limits how many operations each team may run at the same time in this process.

    most: the largest number of concurrent operations of one team.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[object] = Counter()
        self._lock = threading.Lock()

    def take(self, team_id: object) -> Callable[[], None]:
        """Count one more running operation of the team, and return a function to call when the operation ends.

        Raise RateLimited if the team has reached the limit.
        """
        with self._lock:
            if self._taken[team_id] >= self._most:
                raise RateLimited(f"Your team may have {self._most} of these under way at a time.", retry_after_s=2)
            self._taken[team_id] += 1
        given_back = threading.Event()

        def give_back() -> None:
            with self._lock:
                if not given_back.is_set():
                    given_back.set()
                    self._taken[team_id] -= 1
                    if not self._taken[team_id]:
                        del self._taken[team_id]

        return give_back


checks = PixelProcess(longest_queue=64, idle_s=3600)
renderings = PixelProcess(longest_queue=16, idle_s=120)
renderings_of_team = TeamShares(4)


def _done_here(work: Callable[..., Value], *args: Any) -> Future[Value]:
    future: Future[Value] = Future()
    try:
        future.set_result(work(*args))
    except Exception as error:
        future.set_exception(error)
    return future


# Inside the child process -------------------------------------------------------------------------------------------


def _begin_process() -> None:
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is handled by the web server
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, resource.RLIM_INFINITY))


def _bounded(lock_path: str, work: Callable[..., Value], *args: Any) -> Value:
    """Run `work(*args)` with a limit of CPU time, and return its result.

    lock_path: a file that is locked during the call, so that only one process at a time works; empty for no lock.
    """
    spent = resource.getrusage(resource.RUSAGE_SELF)
    most_s = int(spent.ru_utime + spent.ru_stime) + _TASK_S
    resource.setrlimit(resource.RLIMIT_CPU, (most_s, resource.RLIM_INFINITY))
    with _locked(lock_path):
        return work(*args)


@contextmanager
def _locked(path: str) -> Iterator[None]:
    if not path:
        yield
        return
    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# The folder of renderings ---------------------------------------------------------------------------------------------


def rendering_folder() -> Path:
    """Return the folder that contains finished renderings until they are sent. Create the folder if it is missing.

    Delete the files in it that are older than one hour. A process that is killed leaves its files in this folder.
    """
    folder = Path(settings.DATA_DIR) / "renderings"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    oldest = time.time() - 3600
    for entry in os.scandir(folder):
        with suppress(OSError):
            if entry.stat().st_mtime < oldest:
                os.unlink(entry.path)
    return folder
