"""Start-up: keeps the site's processes running, restarts what dies, and leaves none behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.running import lifeline

_LOOK_EVERY_S = 0.1
_SHORTEST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_STEADY_AFTER_S = 30.0
_ORPHAN_GRACE_S = 25.0


@dataclass(frozen=True, slots=True)
class Program:
    """Say what to run, and how long it may take to end after SIGTERM before it is killed."""

    name: str
    command: Sequence[str]
    grace_s: float


@dataclass(slots=True)
class _Running:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at_s: float = 0.0
    pause_s: float = _SHORTEST_PAUSE_S
    start_again_at_s: float = 0.0


class Supervisor:
    """Run programs, each in a process group of its own, until told to stop.

    A program that ends is started again, at once the first time and after a growing pause (at most 10 s) when it keeps
    ending. Stopping takes one program after the other: SIGTERM to its group, SIGKILL to whatever is left of it after
    its grace period. Should this process itself be killed, jobs.running.lifeline ends the groups.

    report: gets one line for everything worth telling. held_files: descriptors that stay open until every program is
    gone, such as the lock on the data folder.
    """

    def __init__(self, *, report: Callable[[str], None], held_files: Sequence[int] = ()) -> None:
        self._report = report
        self._held_files = held_files
        self._running: list[_Running] = []
        self._lifeline: subprocess.Popen[bytes] | None = None

    def start(self, program: Program) -> None:
        """Start a program and keep it running from now on."""
        self._running.append(_Running(program))
        self._launch(self._running[-1])

    def run(self, *, until: Callable[[], bool]) -> None:
        """Watch over the programs until `until` says so."""
        while not until():
            self._keep_lifeline()
            for running in self._running:
                self._look_after(running)
            time.sleep(_LOOK_EVERY_S)

    def stop(self, *, order: Sequence[str], hurry: Callable[[], bool] = lambda: False) -> None:
        """End every program, by name in `order`; `hurry` turning true skips what is left of the grace periods."""
        for running in sorted(self._running, key=lambda running: order.index(running.program.name)):
            self._end(running, hurry)
        if self._lifeline is not None:
            self._lifeline.stdin.close()
            self._lifeline.wait()

    def _launch(self, running: _Running) -> None:
        running.process = subprocess.Popen(
            running.program.command,
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        running.started_at_s = time.monotonic()
        self._tell_lifeline(f"+{running.process.pid}")

    def _look_after(self, running: _Running) -> None:
        now = time.monotonic()
        if running.process is None:
            if now >= running.start_again_at_s:
                self._launch(running)
            return
        code = running.process.poll()
        if code is None:
            return
        self._forget(running)
        if now - running.started_at_s > _STEADY_AFTER_S:
            running.pause_s = _SHORTEST_PAUSE_S
        running.start_again_at_s = now + running.pause_s
        self._report(f"{running.program.name} ended ({_manner(code)}), starting it again in {running.pause_s:.1f} s")
        running.pause_s = min(running.pause_s * 2, _LONGEST_PAUSE_S)

    def _end(self, running: _Running, hurry: Callable[[], bool]) -> None:
        if running.process is None:
            return
        deadline = time.monotonic() + running.program.grace_s
        lifeline.send(running.process.pid, signal.SIGTERM)
        while running.process.poll() is None and time.monotonic() < deadline and not hurry():
            time.sleep(0.02)
        if running.process.poll() is None:
            self._report(f"{running.program.name} does not end by itself and is killed")
        self._forget(running)

    def _forget(self, running: _Running) -> None:
        """Kill whatever the program's group still holds and reap the program itself."""
        lifeline.send(running.process.pid, signal.SIGKILL)
        running.process.wait()
        self._tell_lifeline(f"-{running.process.pid}")
        running.process = None

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
                self._write(f"+{running.process.pid}")

    def _tell_lifeline(self, line: str) -> None:
        if self._lifeline is None:
            self._start_lifeline()  # it hears of every group that runs by now
        else:
            self._write(line)

    def _write(self, line: str) -> None:
        try:
            self._lifeline.stdin.write(f"{line}\n".encode())
            self._lifeline.stdin.flush()
        except BrokenPipeError:
            pass  # it was killed; _keep_lifeline starts another and tells it everything


def _manner(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
