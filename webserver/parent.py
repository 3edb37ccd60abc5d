"""The web server's parent process: it opens the port, starts the web processes, and replaces them.

If a fork is safe, the parent imports the application once, and the web processes are its forks. Each web process sends
reports through a pipe: that it serves, that it is alive, and that it should be replaced after `max_requests` requests.
An old process stops only when its successor serves.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from webserver.configuration import Configuration
from webserver.forks import Closable, Fork, may_fork

CHILD = (sys.executable, str(Path(__file__).with_name("__main__.py")), "--child")
SERVES, ALIVE, REPLACE = b"s", b"a", b"r"
BEAT_EVERY_S = 2.0
_HANGS_AFTER_S = 30.0
_IDLE_AND_HANGS_AFTER_S = 4.0
_STARTS_WITHIN_S = 120.0
_PAUSES_S = (0.0, 0.5, 2.0, 5.0)
_STEADY_AFTER_S = 30.0
_BACKLOG = 512


class Process(Protocol):
    """The interface of a child process, which `subprocess.Popen` and `Fork` implement."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None: ...

    def send_signal(self, number: int, /) -> None: ...

    def kill(self) -> None: ...


class Served(Protocol):
    """The type of the function that a fork runs to serve connections (see `webserver.child.serve`)."""

    def __call__(self, *, listener: int, pipe: int, lock_file: int) -> None: ...


@dataclass(eq=False, slots=True)
class Member:
    """One web process, and what the parent knows about it. All times are those of `time.monotonic`.

    pipe: the descriptor from which the process's reports are read.
    heard_at: the time of its last report.
    serves: whether it has reported that it serves.
    successor: the process that replaces it, or None.
    stops_until: the time after which it is killed; None until it is asked to stop.
    hangs: whether it was killed because it hung or did not end.
    ticks: its processor time at the last check, in clock ticks.
    worked_at: the time when its processor time last changed.
    """

    process: Process
    pipe: int
    started_at: float = field(default_factory=time.monotonic)
    heard_at: float = field(default_factory=time.monotonic)
    serves: bool = False
    successor: Member | None = None
    stops_until: float | None = None
    hangs: bool = False
    ticks: int | None = None
    worked_at: float = field(default_factory=time.monotonic)


class Parent:
    """The parent process, which runs `configuration.processes` web processes until SIGTERM or SIGINT.

    SIGHUP replaces the web processes. If `serve` is given and `may_fork` returns True, a web process is a fork that
    calls `serve`. Otherwise, and after SIGHUP, a web process runs `command`, so that it imports the current code.

    command: the command line of a web process. Three descriptors are appended to it: the listening socket, the pipe to
    the parent and the file for locks.
    serve: the function that a forked web process runs, or None.
    """

    def __init__(
        self, configuration: Configuration, command: Sequence[str] = CHILD, *, serve: Served | None = None
    ) -> None:
        self._configuration = configuration
        self._command = command
        self._serve = serve
        self._socket = _listening(configuration.host, configuration.port)
        self._slot = tempfile.TemporaryFile()  # noqa: SIM115  a name for locks, which lives as long as the parent
        self._members: list[Member] = []
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._early_deaths = 0
        self._start_after = 0.0
        self._signals: list[int] = []
        self._stopping = False

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT, and return the exit status 0."""
        signal.set_wakeup_fd(self._wake_write)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda number, _: self._signals.append(number))
        while not (self._stopping and not self._members):
            self._obey()
            self._bury()
            self._end_what_hangs()
            if not self._stopping:
                self._fill_up()
            self._listen(0.5)
        return 0

    # Events -----------------------------------------------------------------------------------------------------------

    def _obey(self) -> None:
        while self._signals:
            number = self._signals.pop(0)
            if number == signal.SIGHUP:
                self._serve = None  # the new processes must import the current code
                for member in self._current():
                    self._replace(member)
            elif number in (signal.SIGTERM, signal.SIGINT):
                self._stop_all(hurry=self._stopping)

    def _listen(self, timeout_s: float) -> None:
        """Wait up to `timeout_s` seconds for reports of processes or a signal, and handle the reports."""
        for key, _ in self._selector.select(timeout_s):
            said = os.read(key.fd, 4096)
            member = key.data
            if member is None:
                continue
            if not said:
                self._selector.unregister(key.fd)
                continue
            member.heard_at = time.monotonic()
            if SERVES in said:
                self._is_serving(member)
            if REPLACE in said:
                self._replace(member)

    def _is_serving(self, member: Member) -> None:
        member.serves = True
        for old in self._members:
            if old.successor is member:
                self._stop(old)

    def _replace(self, member: Member) -> None:
        """Start a successor of `member`, which keeps serving until the successor serves."""
        if not self._stopping and member.successor is None and member.stops_until is None:
            member.successor = self._start()

    def _bury(self) -> None:
        for member in [member for member in self._members if member.process.poll() is not None]:
            self._forget(member)
            if member.stops_until is not None:
                continue
            now = time.monotonic()
            _say(f"web process {member.process.pid} ended with {member.process.returncode}")
            was_killed = member.process.returncode == -signal.SIGKILL and not member.hangs
            young = now - member.started_at < _STEADY_AFTER_S and not was_killed
            self._early_deaths = self._early_deaths + 1 if young else 0
            self._start_after = now + _PAUSES_S[min(self._early_deaths, len(_PAUSES_S) - 1)]

    def _forget(self, member: Member) -> None:
        self._members.remove(member)
        for old in self._members:
            if old.successor is member:
                old.successor = None
        if member.pipe in self._selector.get_map():
            self._selector.unregister(member.pipe)
        os.close(member.pipe)

    def _end_what_hangs(self) -> None:
        now = time.monotonic()
        for member in self._members:
            ticks = _processor_ticks(member.process.pid)
            if ticks is None or ticks != member.ticks:
                member.ticks, member.worked_at = ticks, now
            silent = now - member.heard_at > (_HANGS_AFTER_S if member.serves else _STARTS_WITHIN_S)
            # A process that is stopped, or waits in its event loop for an event that never comes, uses no processor
            # time.
            silent = silent or (
                member.serves and now - max(member.heard_at, member.worked_at) > _IDLE_AND_HANGS_AFTER_S
            )
            overdue = member.stops_until is not None and now > member.stops_until
            if silent or overdue:
                _say(f"web process {member.process.pid} {'hangs' if silent else 'does not end'} and is killed")
                member.process.kill()
                member.hangs = True
                member.heard_at = now

    def _fill_up(self) -> None:
        if time.monotonic() < self._start_after:
            return
        successors = {member.successor for member in self._members}
        places = [member for member in self._current() if member not in successors]
        for _ in range(self._configuration.processes - len(places)):
            self._start()

    def _current(self) -> list[Member]:
        return [member for member in self._members if member.stops_until is None]

    # Processes --------------------------------------------------------------------------------------------------------

    def _start(self) -> Member:
        read, write = os.pipe()
        given = (self._socket.fileno(), write, self._slot.fileno())
        process: Process
        if self._serve is not None and may_fork():
            run = partial(self._serve, listener=given[0], pipe=given[1], lock_file=given[2])
            process = Fork(run, command=self._command, closes=self._own_files(read))
        else:
            command = [*self._command, *map(str, given)]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=given)
        os.close(write)
        member = Member(process, read)
        self._members.append(member)
        self._selector.register(read, selectors.EVENT_READ, member)
        return member

    def _own_files(self, pipe: int) -> list[Closable | int]:
        """Return the files that a fork must close: this process's pipes, and the selector that waits for them.

        pipe: a pipe that is not yet in the list of members.
        """
        pipes = [member.pipe for member in self._members]
        return [self._selector, self._wake_read, self._wake_write, pipe, *pipes]

    def _stop(self, member: Member) -> None:
        member.stops_until = time.monotonic() + self._configuration.stop_grace_s
        member.process.send_signal(signal.SIGTERM)

    def _stop_all(self, *, hurry: bool) -> None:
        """Stop accepting connections and let the web processes finish the accepted requests.

        hurry: if True, kill the processes immediately.
        """
        if not self._stopping:
            self._stopping = True
            self._socket.close()
        for member in self._members:
            if hurry:
                member.process.kill()
            elif member.stops_until is None:
                self._stop(member)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SystemExit(f"the web server cannot listen on {host}, port {port}: {error.strerror}") from None


def _processor_ticks(pid: int) -> int | None:
    """Return the processor time that a process has used, in clock ticks; None if the system does not report it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[11]) + int(fields[12])


def _say(text: str) -> None:
    sys.stderr.write(f"web server: {text}\n")
    sys.stderr.flush()
