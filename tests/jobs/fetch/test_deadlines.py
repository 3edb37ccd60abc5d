"""Tests that name lookups and connections of a download end at the deadline."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from jobs.errors import DownloadFailed
from jobs.intake.fetch import Policy, fetch_bytes
from jobs.intake.fetch import connection as connection_module
from jobs.intake.fetch.connection import Deadline, DeadlineSocket
from tests.jobs.fetch.resolving import resolves_to
from tests.jobs.site import Site, endless


@contextmanager
def silent_listener() -> Iterator[int]:
    """Yield a port that accepts connections but does not respond."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_lookup_that_never_ends_is_left_behind_at_the_deadline() -> None:
    ended = threading.Event()

    def hanging(host: str, port: int) -> list[str]:
        ended.wait()
        return []

    try:
        with pytest.raises(DownloadFailed, match="too long"):
            fetch_bytes("http://slow.example/", Policy(deadline_s=0.05), resolver=hanging)
    finally:
        ended.set()


def test_lookups_beyond_the_bound_wait_only_until_their_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_lookup_slots", threading.BoundedSemaphore(1))
    connection_module._lookup_slots.acquire()
    with pytest.raises(DownloadFailed, match="too long"):
        fetch_bytes("http://busy.example/", Policy(deadline_s=0.05), resolver=resolves_to("8.8.8.8"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_never_speaks_is_left_at_the_deadline(scheme: str) -> None:
    with silent_listener() as port:
        policy = Policy(allowed_hosts=(f"127.0.0.1:{port}",), deadline_s=0.1)
        with pytest.raises(DownloadFailed, match="too long"):
            fetch_bytes(f"{scheme}://127.0.0.1:{port}/", policy)


@pytest.mark.parametrize(("deadline_s", "expected_s"), [(20, 5), (3, 3)])
def test_opening_a_connection_gets_its_own_shorter_limit(
    deadline_s: float, expected_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits_s = []

    def connect(self: DeadlineSocket, address: object) -> None:
        limits_s.append(self.gettimeout())
        raise TimeoutError

    monkeypatch.setattr(DeadlineSocket, "connect", connect)
    with pytest.raises(DownloadFailed, match="too long"):
        fetch_bytes("http://8.8.8.8/", Policy(deadline_s=deadline_s), clock=lambda: 0.0)
    assert limits_s == [expected_s]


def test_a_body_that_keeps_coming_is_cut_off_by_the_clock_and_not_only_by_silence(serve: Callable[..., Site]) -> None:
    site = serve({"/a": endless})
    ticks = itertools.count()
    policy = site.policy(deadline_s=40, max_bytes=10**9)
    with pytest.raises(DownloadFailed, match="too long"):
        fetch_bytes(site.url("/a"), policy, clock=lambda: float(next(ticks)))


def test_each_wait_on_a_socket_gets_only_what_is_left() -> None:
    now = [100.0]
    ours, theirs = socket.socketpair()
    with ours, theirs, DeadlineSocket(fileno=ours.detach()) as dripped:
        dripped.deadline = Deadline(20, clock=lambda: now[0])
        buffer = bytearray(10)
        for second in (0, 5, 19):
            now[0] = 100.0 + second
            theirs.send(b"x")
            assert dripped.recv_into(buffer) == 1
            assert dripped.gettimeout() == 20 - second
        theirs.send(b"x")
        now[0] = 120.0
        for operation in (lambda: dripped.recv(1), lambda: dripped.recv_into(buffer), lambda: dripped.sendall(b"x")):
            with pytest.raises(TimeoutError):
                operation()
