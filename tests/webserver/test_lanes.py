"""Tests of lanes (thread pools): the requests of different clients get threads in turn.

A cancelled request leaves the queue.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from tests import loops
from webserver.application import _flow_of
from webserver.lanes import Lane, LaneFull


def with_busy_lane(test: Callable[[Lane, threading.Event], Awaitable[None]], *, longest_queue: int = 10) -> None:
    """Run a test with a lane (thread pool) that has one busy thread.

    test: a function that gets the lane and an event. The thread is free after the event is set. longest_queue: the
    number of functions that may wait for the thread.
    """

    async def run() -> None:
        lane, release = Lane("test", threads=1, longest_queue=longest_queue), threading.Event()
        busy = asyncio.ensure_future(lane.run(release.wait, 60))
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(test(lane, release), 60)
        finally:
            release.set()
            await busy
            lane.close()

    loops.run(run())


async def started(work: Awaitable[object]) -> asyncio.Future[object]:
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    return task


def test_a_client_with_many_requests_does_not_delay_another_one() -> None:
    done: list[str] = []

    async def test(lane: Lane, release: threading.Event) -> None:
        many = [await started(lane.run(done.append, f"many {number}", flow="many")) for number in range(4)]
        single = await started(lane.run(done.append, "single", flow="single"))
        release.set()
        await asyncio.gather(*many, single)

    with_busy_lane(test)

    assert done == ["many 0", "single", "many 1", "many 2", "many 3"]


def test_a_cancelled_request_gives_up_its_place() -> None:
    done: list[str] = []

    async def test(lane: Lane, release: threading.Event) -> None:
        gone = await started(lane.run(done.append, "gone", flow="one"))
        with pytest.raises(LaneFull):
            await lane.run(done.append, "one too many", flow="two")
        gone.cancel()
        await asyncio.wait([gone])
        kept = await started(lane.run(done.append, "kept", flow="two"))
        release.set()
        await kept
        await lane.run(done.append, "later", flow="one")

    with_busy_lane(test, longest_queue=1)

    assert done == ["kept", "later"]


def test_a_request_that_is_cancelled_in_its_turn_passes_the_thread_on() -> None:
    done: list[str] = []

    async def test(lane: Lane, release: threading.Event) -> None:
        first = await started(lane.run(done.append, "first", flow="one"))
        second = await started(lane.run(done.append, "second", flow="two"))
        lane._waiting["one"][0].set_result(None)
        first.cancel()
        await asyncio.wait([first])
        release.set()
        await second

    with_busy_lane(test)

    assert done == ["second"]


def test_a_closed_lane_ends_what_waits() -> None:
    async def test(lane: Lane, release: threading.Event) -> None:
        waiting = await started(lane.run(release.wait, 60))
        lane.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    with_busy_lane(test)


def test_clients_are_told_apart_by_their_credentials_else_by_their_address() -> None:
    key = (b"authorization", b"Bearer one")
    one = {"headers": [key, (b"accept", b"*/*")], "client": ("10.0.0.1", 5000)}
    same = {"headers": [key], "client": ("10.0.0.2", 5001)}
    other = {"headers": [(b"x-api-key", b"two")], "client": ("10.0.0.1", 5002)}
    nameless = [{"headers": [], "client": (address, port)} for address, port in (("10.0.0.1", 1), ("10.0.0.1", 2))]

    assert _flow_of(one) == _flow_of(same) != _flow_of(other)
    assert _flow_of(nameless[0]) == _flow_of(nameless[1]) != _flow_of({"headers": [], "client": None})
