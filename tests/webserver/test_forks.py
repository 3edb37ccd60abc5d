"""Tests that a forked process exits like a program, with its own signal handlers, pipes and command line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.stack import ROOT

# Each snippet runs in its own Python process: the test process has several threads and must not be forked.
_START = """
import os, signal, sys, threading
from webserver.forks import Fork, may_fork
"""


def output_of(code: str) -> tuple[str, str]:
    """Run Python code in a new process and return its standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-c", _START + code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.strip(), done.stderr


@pytest.mark.parametrize(
    ("run", "status", "error"),
    [
        ("lambda: None", "0", ""),
        ("lambda: sys.exit(3)", "3", ""),
        ("lambda: sys.exit('the port is taken')", "1", "the port is taken"),
        ("lambda: 1 / 0", "1", "ZeroDivisionError"),
        ("lambda: os.kill(os.getpid(), signal.SIGKILL)", "-9", ""),
    ],
)
def test_a_fork_exits_like_a_program(run: str, status: str, error: str) -> None:
    printed, written = output_of(f"print(Fork({run}, command=['it']).wait())")

    assert printed == status
    assert error in written


def test_a_fork_does_not_run_the_handlers_and_cleanups_of_its_parent() -> None:
    printed, _ = output_of("""
import atexit
atexit.register(print, "cleaned up")
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
try:
    fork = Fork(lambda: signal.pause(), command=["it"])
    fork.send_signal(signal.SIGTERM)
    print(fork.wait())
finally:
    print("finally")
""")

    assert printed.split("\n") == ["-15", "finally", "cleaned up"]


def test_threads_of_a_fork_end_before_the_fork() -> None:
    printed, _ = output_of("""
def run():
    threading.Thread(target=lambda: (threading.main_thread().join(), print("thread", flush=True))).start()
Fork(run, command=["it"]).wait()
print("parent")
""")

    assert printed.split("\n") == ["thread", "parent"]


def test_a_pipe_that_a_fork_closes_shows_the_end_of_its_parent() -> None:
    printed, _ = output_of("""
read, write = os.pipe()
fork = Fork(lambda: signal.pause(), command=["it"], closes=[read, write])
os.close(write)
print(os.read(read, 1))
fork.kill()
""")

    assert printed == "b''"


def test_a_fork_shows_its_command_and_leads_its_group_with_its_variables_and_no_input() -> None:
    printed, _ = output_of("""
def run():
    print(open("/proc/self/cmdline").read().strip("\\0"), os.getpgid(0) == os.getpid(), flush=True)
    print(os.environ["COLOUR"], sys.stdin.read() == "", flush=True)
Fork(run, command=["manage.py", "work", "--child", "downloads"], environment={"COLOUR": "red"}, own_group=True).wait()
print("COLOUR" in os.environ)
""")

    assert printed.split("\n") == ["manage.py work --child downloads True", "red True", "False"]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked only on Linux")
def test_a_process_with_a_second_thread_or_a_reporter_is_not_forked() -> None:
    printed, _ = output_of("""
print(may_fork())
thread = threading.Thread(target=threading.Event().wait, daemon=True)
thread.start()
print(may_fork())
""")

    assert printed.split("\n") == ["True", "False"]
    assert output_of("sys.modules['sentry_sdk'] = sys\nprint(may_fork())")[0] == "False"
