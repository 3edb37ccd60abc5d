"""A supervisor that starts a set of programs, restarts each program that ends, and stops them in order.

`manage.py run` supervises the queue, the web server and `manage.py work`. `manage.py work` supervises its worker
processes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import IO

from django.db import connections

from jobs.running import lifeline
from webserver.forks import Fork, may_fork

logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.1
_SHORTEST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
# A program that was killed has not failed by itself, and one that hung has already lost at least 3 s.
_LONGEST_PAUSE_AFTER_KILL_S = 0.8
_STEADY_AFTER_S = 30.0
_ORPHAN_GRACE_S = 3.0  # short, because the next start waits for orphans; clients and workers repeat their work


@dataclass(frozen=True, slots=True)
class Program:
    """A program to supervise.

    command: the command line.
    grace_s: the seconds between SIGTERM and SIGKILL.
    stop_rank: programs with a lower rank are stopped first; programs with the same rank are stopped together.
    folder: a folder that is created before each start, because it may have been deleted with the program's data.
    delay_s: the seconds before the first start.
    run: a function that does the work of the program. If it is given and forks are possible, the supervisor starts a
    fork that calls this function instead of running `command`.
    environment: environment variables that are set for this program only.
    """

    name: str
    command: Sequence[str]
    grace_s: float
    stop_rank: int = 0
    folder: Path | None = None
    delay_s: float = 0.0
    run: Callable[[], object] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Running:
    program: Program
    process: subprocess.Popen[bytes] | Fork | None = None
    started_at_s: float = 0.0
    pause_s: float = _SHORTEST_PAUSE_S
    start_again_at_s: float = 0.0
    has_hung: bool = False


class Supervisor:
    """A supervisor that runs programs, each in its own process group, until a stop is requested.

    A program that ends is started again after a pause. The pause is 0.2 s at first. It doubles, up to 10 s, each time
    the program ends within 30 s of its start. It is at most 0.8 s if the program was killed. If the supervisor itself
    is killed, `jobs.running.lifeline` ends the process groups.

    report: is called with one line of text for each event.
    ended: is called when a program has ended. Its arguments are the program, the process id, and a boolean: True if
    another process killed the program with SIGKILL, False if it ended in another way or because it hung. Exceptions of
    this function are logged.
    hung: is called repeatedly with each running program and its process id. If it returns True, the program is killed
    and started again.
    in_fork: is called first in each program that is a fork.
    held_files: file descriptors that stay open until all programs have ended, such as the lock on the data folder.
    """

    def __init__(
        self,
        *,
        report: Callable[[str], None],
        ended: Callable[[Program, int, bool], None] | None = None,
        hung: Callable[[Program, int], bool] | None = None,
        in_fork: Callable[[], object] | None = None,
        held_files: Sequence[int] = (),
    ) -> None:
        self._report = report
        self._ended = ended
        self._hung = hung
        self._in_fork = in_fork
        self._held_files = held_files
        self._running: list[_Running] = []
        self._lifeline: subprocess.Popen[bytes] | None = None

    def start(self, program: Program) -> None:
        """Start a program, now or after its delay, and supervise it."""
        self._running.append(_Running(program, start_again_at_s=time.monotonic() + program.delay_s))
        self._look_after(self._running[-1])

    def run(self, *, until: Callable[[], bool]) -> None:
        """Restart programs that end, until `until` returns True."""
        while not until():
            self._keep_lifeline()
            for running in self._running:
                self._look_after(running)
            time.sleep(_LOOK_EVERY_S)

    def restart(self, name: str) -> None:
        """Send SIGTERM to the programs named `name`. `run` starts them again when they have ended."""
        for running in self._running:
            if running.program.name == name:
                _signal(running, signal.SIGTERM)

    def stop(self, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop all programs in the order of their ranks.

        hurry: is called repeatedly; when it returns True, the remaining grace periods are skipped.
        """
        in_order = sorted(self._running, key=_stop_rank)
        for _, together in groupby(in_order, key=_stop_rank):
            self._end([running for running in together if running.process is not None], hurry)
        if self._lifeline is not None and self._lifeline.stdin is not None:
            self._lifeline.stdin.close()
            self._lifeline.wait()

    def _launch(self, running: _Running) -> None:
        if running.program.folder is not None:
            running.program.folder.mkdir(parents=True, exist_ok=True)
        self._keep_lifeline()  # first: a program must not outlive a supervisor that is killed right after its start
        running.process = self._process_of(running.program)
        running.started_at_s = time.monotonic()
        running.has_hung = False
        self._tell_lifeline(f"+{running.process.pid}")

    def _process_of(self, program: Program) -> subprocess.Popen[bytes] | Fork:
        """Start the program as the leader of a new process group, and return its process."""
        if program.run is None or not may_fork():
            return subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                env=os.environ | program.environment,
                process_group=0,
            )
        connections.close_all()  # a connection must not be used by two processes
        return Fork(
            partial(_begin_fork, self._pipe(), self._in_fork, program.run),
            command=program.command,
            environment=program.environment,
            own_group=True,
        )

    def _look_after(self, running: _Running) -> None:
        """Start the program if its pause is over. If it has ended, plan its next start. If it hangs, kill it."""
        now = time.monotonic()
        if running.process is None:
            if now >= running.start_again_at_s:
                self._launch(running)
            return
        code = running.process.poll()
        if code is None:
            if self._hung is not None and self._hung(running.program, running.process.pid):
                self._report(f"{running.program.name} hangs and is killed")
                running.has_hung = True
                _signal(running, signal.SIGKILL)
            return
        self._forget(running)
        if now - running.started_at_s > _STEADY_AFTER_S:
            running.pause_s = _SHORTEST_PAUSE_S
        was_killed = code == -signal.SIGKILL
        pause_s = min(running.pause_s, _LONGEST_PAUSE_AFTER_KILL_S) if was_killed else running.pause_s
        running.start_again_at_s = now + pause_s
        self._report(f"{running.program.name} ended ({_manner(code)}), starting it again in {pause_s:.1f} s")
        running.pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _end(self, together: Sequence[_Running], hurry: Callable[[], bool]) -> None:
        """Send SIGTERM to the programs, wait for each until its grace period ends, then kill the remaining ones."""
        started_s = time.monotonic()
        for running in together:
            _signal(running, signal.SIGTERM)
        for running in together:
            deadline_s = started_s + running.program.grace_s
            while _is_alive(running) and time.monotonic() < deadline_s and not hurry():
                time.sleep(0.02)
            if _is_alive(running):
                self._report(f"{running.program.name} does not end by itself and is killed")
            self._forget(running)

    def _forget(self, running: _Running) -> None:
        """Kill the remaining processes of the program's group, wait for the program, and report its end to `ended`."""
        if running.process is None:
            return
        pid = running.process.pid
        is_over = running.process.poll() is not None
        _signal(running, signal.SIGKILL)
        was_killed = is_over and running.process.wait() == -signal.SIGKILL and not running.has_hung
        running.process.wait()
        self._tell_lifeline(f"-{pid}")
        running.process = None
        if self._ended is not None:
            try:
                self._ended(running.program, pid, was_killed)
            except Exception:
                logger.exception("the end of %s (process %s) could not be noted", running.program.name, pid)

    # The lifeline -----------------------------------------------------------------------------------------------------

    def _keep_lifeline(self) -> None:
        if self._lifeline is None or self._lifeline.poll() is not None:
            self._start_lifeline()

    def _start_lifeline(self) -> None:
        self._lifeline = subprocess.Popen(
            [sys.executable, "-S", "-E", str(Path(lifeline.__file__).resolve()), str(_ORPHAN_GRACE_S)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=self._held_files,
        )
        for running in self._running:
            if running.process is not None:
                self._tell_lifeline(f"+{running.process.pid}")

    def _pipe(self) -> IO[bytes]:
        assert self._lifeline is not None
        assert self._lifeline.stdin is not None
        return self._lifeline.stdin

    def _tell_lifeline(self, line: str) -> None:
        _write(self._pipe(), line)


def _write(pipe: IO[bytes], line: str) -> None:
    """Write a line to the lifeline. If the lifeline was killed, do nothing: the next one gets all groups."""
    with contextlib.suppress(BrokenPipeError):
        os.write(pipe.fileno(), f"{line}\n".encode())


def _begin_fork(pipe: IO[bytes], in_fork: Callable[[], object] | None, run: Callable[[], object]) -> None:
    _write(pipe, f"+{os.getpid()}")  # here too, because the supervisor may be killed before it has written this line
    pipe.close()  # the lifeline sees the end of the supervisor only if no program holds the pipe open
    if in_fork is not None:
        in_fork()
    run()


def _stop_rank(running: _Running) -> int:
    return running.program.stop_rank


def _is_alive(running: _Running) -> bool:
    return running.process is not None and running.process.poll() is None


def _signal(running: _Running, number: signal.Signals) -> None:
    if running.process is not None:
        lifeline.send(running.process.pid, number)


def _manner(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
