"""Tests of the web server's parent process: at least one child process accepts requests at any time.

Accepted requests are always finished.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import ROOT, free_port, wait_for

# Sends its process's id over each connection; reports that it serves once it gets a shared lock on the file `go`, and
# asks to be replaced after the word "replace". After SIGTERM it answers the open connection and ends.
CHILD = """
import fcntl, os, signal, socket, sys
listener, pipe = socket.socket(fileno=int(sys.argv[2])), int(sys.argv[3])
stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
with open(sys.argv[1]) as go:
    fcntl.flock(go, fcntl.LOCK_SH)
os.write(pipe, b"s")
listener.settimeout(0.05)
while not stopping:
    os.write(pipe, b"a")
    try:
        client, _ = listener.accept()
    except TimeoutError:
        continue
    client.settimeout(60)
    client.sendall(b"accepted ")
    word = client.recv(100)
    if word == b"replace":
        os.write(pipe, b"r")
    client.sendall(str(os.getpid()).encode())
    client.close()
"""
PARENT = """
import sys
from webserver.configuration import Configuration
from webserver.parent import Parent
Parent(Configuration(port=int(sys.argv[1]), processes=1), [sys.executable, sys.argv[2], sys.argv[3]]).run()
"""


class Served:
    """A running parent process and its port. go: a file that a new child process must lock before it serves."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, go: Path) -> None:
        self.process, self.port, self.go = process, port, go

    def ask(self, word: str = "hello") -> int:
        """Send a word to the server, and return the id of the process that responds."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as client:
            assert client.recv(9) == b"accepted "
            client.sendall(word.encode())
            return int(client.recv(100))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    child, go = tmp_path / "child.py", tmp_path / "go"
    child.write_text(CHILD)
    go.touch()
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", PARENT, str(port), str(child), str(go)], cwd=ROOT)
    stack = Served(process, port, go)

    def listens() -> bool:
        try:
            return stack.ask() > 0
        except OSError:
            return False

    wait_for(listens, timeout_s=60, what="the parent does not serve")
    yield stack
    process.kill()
    process.wait()


def test_a_process_that_has_done_its_share_serves_until_its_successor_does(served: Served) -> None:
    with served.go.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        first = served.ask("replace")

        answers = [served.ask() for _ in range(20)]

    assert answers == [first] * 20
    wait_for(lambda: served.ask() != first, timeout_s=60, what="it is not replaced")
    wait_for(lambda: not Path(f"/proc/{first}").exists(), timeout_s=60, what="the old process does not end")


def test_sighup_replaces_what_serves(served: Served) -> None:
    first = served.ask()

    served.process.send_signal(signal.SIGHUP)

    wait_for(lambda: served.ask() != first, timeout_s=60, what="it is not replaced")


def test_a_process_that_is_killed_is_started_again(served: Served) -> None:
    first = served.ask()

    os.kill(first, signal.SIGKILL)

    assert served.ask() != first  # the connection waits in the socket's queue until then


def test_sigterm_lets_a_process_answer_what_it_has_accepted(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as client:
        assert client.recv(9) == b"accepted "

        served.process.send_signal(signal.SIGTERM)
        client.sendall(b"hello")

        assert int(client.recv(100)) > 0
        assert served.process.wait(60) == 0


@pytest.mark.slow
def test_a_process_that_is_stopped_is_replaced(served: Served) -> None:
    first = served.ask()

    os.kill(first, signal.SIGSTOP)

    assert served.ask() != first  # the connection waits in the socket's queue until then
