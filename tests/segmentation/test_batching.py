"""Tests that requests become one batch if they arrive while the device is busy.

Events control the order of the threads, so that the tests need no pauses.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Condition, Event, Semaphore

import numpy as np
import pytest

from segmentation.engines.batching import BatchingSession
from segmentation.engines.session import GuardedSession
from segmentation.errors import InferenceFailed

LIMIT_S = 20.0  # no test waits so long; a deadlock fails instead of hanging


class FakeDevice:
    """A fake session (loaded network) that doubles its input.

    Each run releases the semaphore `started`, and then waits for the semaphore `go`.
    """

    runtime = "fake-cuda"
    outputs = ("doubled", "sums")
    max_batch = 4

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.started, self.go = Semaphore(0), Semaphore(0)
        self.error: Exception | None = None

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        (batch,) = inputs
        self.batches.append(batch[:, 0].tolist())
        self.started.release()
        assert self.go.acquire(timeout=LIMIT_S)
        if self.error is not None:
            raise self.error
        return [batch * 2, batch.sum(axis=1)]


class WatchedCondition(Condition):
    """A condition that releases the semaphore `waits` each time a thread begins to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = Semaphore(0)

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.release()
        return super().wait(timeout)


class Callers:
    """Threads that call a batching session. Each call sends one picture, whose values all equal the call's number."""

    def __init__(self, device: FakeDevice, threads: ThreadPoolExecutor) -> None:
        self.device, self._threads = device, threads
        self.session = BatchingSession(device)
        self._changed = self.session._changed = WatchedCondition()

    def call(self, number: float, width: int = 3) -> Future[list[np.ndarray]]:
        return self._threads.submit(self.session.run, np.full((1, width), number, np.float32))

    def occupy(self) -> Future[list[np.ndarray]]:
        """Send picture 0, wait until the device starts to process it, and return its future."""
        first = self.call(0)
        assert self.device.started.acquire(timeout=LIMIT_S)
        return first

    def queue(self, *numbers: float, width: int = 3) -> list[Future[list[np.ndarray]]]:
        """Send pictures and return their futures. Each picture is sent when the previous one waits for the device."""
        futures = []
        for number in numbers:
            futures.append(self.call(number, width))
            assert self._changed.waits.acquire(timeout=LIMIT_S)
        return futures

    def finish(self, runs: int) -> None:
        for _ in range(runs):
            self.device.go.release()


@pytest.fixture
def callers() -> Iterator[Callers]:
    with ThreadPoolExecutor(16) as threads:
        yield Callers(FakeDevice(), threads)


def results(futures: list[Future[list[np.ndarray]]]) -> list[float]:
    return [future.result(LIMIT_S)[0][0, 0].item() for future in futures]


def test_a_lone_request_runs_at_once(callers: Callers) -> None:
    callers.finish(1)

    doubled, sums = callers.call(5).result(LIMIT_S)

    np.testing.assert_array_equal(doubled, [[10, 10, 10]])
    np.testing.assert_array_equal(sums, [15])
    assert callers.device.batches == [[5]]


def test_requests_during_one_run_become_one_batch_and_each_caller_gets_its_own_result(callers: Callers) -> None:
    first = callers.occupy()
    others = callers.queue(1, 2, 3)
    callers.finish(2)

    assert results([first, *others]) == [0, 2, 4, 6]
    assert [future.result()[1].tolist() for future in others] == [[3], [6], [9]]
    assert callers.device.batches == [[0], [1, 2, 3]]


def test_a_batch_has_no_more_pictures_than_the_session_takes(callers: Callers) -> None:
    first = callers.occupy()
    others = callers.queue(1, 2, 3, 4, 5, 6)
    callers.finish(3)

    assert results([first, *others]) == [0, 2, 4, 6, 8, 10, 12]
    assert callers.device.batches == [[0], [1, 2, 3, 4], [5, 6]]


def test_a_session_for_single_pictures_runs_them_one_after_the_other(callers: Callers) -> None:
    callers.session.max_batch = 1
    first = callers.occupy()
    others = callers.queue(1, 2)
    callers.finish(3)

    assert results([first, *others]) == [0, 2, 4]
    assert callers.device.batches == [[0], [1], [2]]


def test_pictures_of_other_sizes_run_separately(callers: Callers) -> None:
    first = callers.occupy()
    small, large, small_again = callers.queue(1), callers.queue(2, width=5), callers.queue(3)
    callers.finish(3)

    assert results([first, *small, *large, *small_again]) == [0, 2, 4, 6]
    assert callers.device.batches == [[0], [1, 3], [2]]


def test_the_error_of_a_batch_reaches_each_of_its_callers_and_no_other(callers: Callers) -> None:
    first = callers.occupy()
    others = callers.queue(1, 2)
    callers.finish(1)
    assert results([first]) == [0]
    assert callers.device.started.acquire(timeout=LIMIT_S)
    callers.device.error = RuntimeError("out of memory")
    callers.finish(1)

    for future in others:
        with pytest.raises(RuntimeError, match="out of memory"):
            future.result(LIMIT_S)

    callers.device.error = None
    callers.finish(1)
    assert results([callers.call(7)]) == [14]


def test_a_caller_whose_wait_ends_with_an_exception_leaves_nothing_behind(callers: Callers) -> None:
    first = callers.occupy()
    interrupted = Event()

    def wait_for(*_: object) -> bool:
        interrupted.set()
        raise TimeoutError

    wait, callers.session._changed.wait_for = callers.session._changed.wait_for, wait_for  # type: ignore[method-assign]
    late = callers.call(1)
    assert interrupted.wait(LIMIT_S)
    with pytest.raises(TimeoutError):
        late.result(LIMIT_S)
    callers.session._changed.wait_for = wait  # type: ignore[method-assign]
    callers.finish(1)

    assert results([first]) == [0]
    callers.finish(1)
    assert results([callers.call(2)]) == [4]
    assert callers.device.batches == [[0], [2]]


def test_a_guarded_session_reports_the_error_as_a_failed_inference() -> None:
    device = FakeDevice()
    device.error = RuntimeError("out of memory")
    device.go.release()

    with pytest.raises(InferenceFailed) as caught:
        GuardedSession(device).run(np.ones((1, 3), np.float32))

    assert caught.value.__cause__ is device.error
