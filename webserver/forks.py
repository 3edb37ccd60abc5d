"""Child processes that are forks of this process.

A fork starts without imports and shares the memory of the modules that its parent has imported.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from setproctitle import setproctitle

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
# Numbers of glibc's malloc.h, by the environment variables with the same effect. With these values the C library
# returns large freed blocks to the system, and uses no separate heap for each thread.
_MALLOC = {
    "MALLOC_ARENA_MAX": (-8, 2),
    "MALLOC_MMAP_THRESHOLD_": (-3, 2**18),
    "MALLOC_TRIM_THRESHOLD_": (-1, 2**20),
}


class Closable(Protocol):
    """An open file, socket, pipe or selector."""

    def close(self) -> object: ...


def may_fork() -> bool:
    """Return whether this process can fork safely: it runs on Linux, with only one thread and without Sentry.

    After a fork, the child has only the thread that forked. If another thread holds a lock during the fork, this lock
    is never released in the child. Sentry starts its thread only with its first report, so the number of threads does
    not show that Sentry is used.
    """
    return sys.platform == "linux" and threading.active_count() == 1 and "sentry_sdk" not in sys.modules


class Fork:
    """A child process that calls `run` and then exits. It has some methods of `subprocess.Popen`.

    The exit status is 0 after `run` returns, the status of SystemExit, or 1 after any other exception. The child starts
    with the default signal handlers, and with /dev/null as its standard input.

    command: the child's command line, as `ps` shows it.
    closes: files of the parent, as objects or descriptors, that the child closes first. For example, a pipe shows the
    end of the parent only if no child holds it open.
    environment: variables that are set in the child.
    own_group: whether the child leads a new process group.
    """

    def __init__(
        self,
        run: Callable[[], object],
        *,
        command: Sequence[str],
        closes: Iterable[Closable | int] = (),
        environment: Mapping[str, str] | None = None,
        own_group: bool = False,
    ) -> None:
        self.returncode: int | None = None
        _flush()
        gc.freeze()  # the child's garbage collections do not write to the shared pages
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # a signal now would run the parent's handler
        try:
            self.pid = os.fork()
            if self.pid == 0:
                _be_child(run, command, closes, environment or {}, own_group=own_group)
            if own_group:
                _lead_group(self.pid)  # here too, so that the group exists when this constructor returns
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            gc.unfreeze()

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal, or None while the child runs."""
        if self.returncode is None:
            self._reap(os.WNOHANG)
        return self.returncode

    def wait(self) -> int:
        """Wait for the child's end and return its exit status."""
        while self.returncode is None:
            self._reap(0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send the signal `number`, unless the child has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _reap(self, options: int) -> None:
        try:
            pid, status = os.waitpid(self.pid, options)
        except ChildProcessError:  # something else has reaped it
            pid, status = self.pid, 0
        if pid == self.pid:
            self.returncode = os.waitstatus_to_exitcode(status)


def limit_heaps() -> None:
    """Make glibc return freed memory to the system. Settings of glibc's heap in environment variables have priority.

    If the process does not use glibc, do nothing.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return
    for name, (parameter, value) in _MALLOC.items():
        if name not in os.environ:
            mallopt(parameter, value)


def _be_child(
    run: Callable[[], object],
    command: Sequence[str],
    closes: Iterable[Closable | int],
    environment: Mapping[str, str],
    *,
    own_group: bool,
) -> None:
    """Run the child until it exits. This function never returns, because the code of its callers is for the parent."""
    code = 1
    try:
        if own_group:
            _lead_group(0)
        _reset_signals()
        for one in closes:
            os.close(one) if isinstance(one, int) else one.close()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.environ.update(environment)
        setproctitle(shlex.join(command))
        run()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if isinstance(error.code, str):
            sys.stderr.write(f"{error.code}\n")
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the interpreter's end does
            logging.shutdown()
            _flush()
        finally:
            os._exit(code)


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _lead_group(pid: int) -> None:
    with contextlib.suppress(OSError):  # the other process was first, or the child has ended
        os.setpgid(pid, pid)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the reader of a pipe has ended, or the stream is closed
            stream.flush()
