"""Tests of a worker's lanes (threads): a worker on a GPU processes several pictures at the same time.

A picture whose worker was lost is processed alone.
"""

from __future__ import annotations

import faulthandler
import threading
from collections.abc import Iterator
from threading import Barrier, Event
from unittest.mock import Mock

import pytest

from jobs.models import JobImage
from jobs.running import worker_child
from jobs.work import lanes as lanes_module
from jobs.work import queue, serving, tasks
from jobs.work.hangs import HangGuard
from jobs.work.lanes import Lanes
from tests.cast import Person
from tests.quota.actions import submit

LIMIT_S = 20.0  # a deadlock fails after this time instead of hanging


@pytest.fixture
def lanes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lanes]:
    """Yield the lanes (threads) of a worker that processes two pictures at the same time."""
    opened = Lanes()
    opened.open(2)
    for module in (serving, tasks, lanes_module, worker_child):
        monkeypatch.setattr(module, "lanes", opened)
    yield opened
    opened.drain()


@pytest.fixture
def busy_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list that records each busy time, in seconds, that the lanes report."""
    reported: list[float] = []
    monkeypatch.setattr(lanes_module, "worker_busy", lambda *, queue, seconds: reported.append(seconds))
    return reported


def test_pictures_run_at_the_same_time_until_all_lanes_are_taken(lanes: Lanes, busy_s: list[float]) -> None:
    together, go = Barrier(3, timeout=LIMIT_S), Event()

    def work() -> None:
        together.wait()
        assert go.wait(LIMIT_S)

    for _ in range(2):
        assert lanes.wait_for_room(LIMIT_S)
        lanes.start(work, limit_s=None, queue_name="default")
    together.wait()

    assert not lanes.wait_for_room(0)
    go.set()
    lanes.drain()
    assert lanes.wait_for_room(0)


def test_an_error_is_logged_and_frees_the_lane(
    lanes: Lanes, busy_s: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(4):
        assert lanes.wait_for_room(LIMIT_S)
        lanes.start(Mock(side_effect=OSError("the disk is gone")), limit_s=None, queue_name="default")
    lanes.drain()

    assert caplog.text.count("OSError: the disk is gone") == 4


def test_time_that_two_pictures_share_counts_once(
    lanes: Lanes, busy_s: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Mock(monotonic=Mock(return_value=100.0))
    monkeypatch.setattr(lanes_module, "time", clock)
    first, second = Event(), Event()
    lanes.start(lambda: first.wait(LIMIT_S) and None, limit_s=None, queue_name="default")
    clock.monotonic.return_value = 101.0
    lanes.start(lambda: second.wait(LIMIT_S) and None, limit_s=None, queue_name="default")

    clock.monotonic.return_value = 103.0
    first.set()
    assert lanes.wait_for_room(LIMIT_S)
    clock.monotonic.return_value = 104.0
    second.set()
    lanes.drain()
    lanes._threads.shutdown()

    assert sorted(busy_s) == [1.0, 3.0]


def test_one_lane_is_no_lane() -> None:
    single = Lanes()
    single.open(1)

    assert not single.is_open
    assert single.wait_for_room(0)


@pytest.mark.django_db(transaction=True)
def test_a_worker_takes_a_second_message_while_the_first_picture_runs(
    lanes: Lanes, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, done = Barrier(2, timeout=LIMIT_S), []

    def attempt(image_id: str, step: object) -> None:
        together.wait()
        done.append((image_id, threading.current_thread() is threading.main_thread()))

    monkeypatch.setattr(tasks, "_attempt", attempt)
    ids = [str(image.pk) for image in submit(alice, 2).images.all()]
    for image_id in ids:
        queue.enqueue_task(queue.IMAGE_PROCESS, image_id, queue_name="default", row_id=image_id)

    serving.serve(["default"], name="worker-1", until_empty=True)

    assert sorted(done) == sorted((image_id, False) for image_id in ids)


@pytest.mark.django_db(transaction=True)
def test_a_picture_that_has_lost_a_worker_is_processed_alone(
    lanes: Lanes, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, seen = [], {}

    def attempt(image_id: str, step: object) -> None:
        running.append(image_id)
        seen[image_id] = (threading.current_thread() is threading.main_thread(), list(running))
        running.remove(image_id)

    monkeypatch.setattr(tasks, "_attempt", attempt)
    ids = [str(image.pk) for image in submit(alice, 2).images.all()]
    JobImage.objects.filter(pk=ids[1]).update(attempt=1)
    for image_id in ids:
        queue.enqueue_task(queue.IMAGE_PROCESS, image_id, queue_name="default", row_id=image_id)

    serving.serve(["default"], name="worker-1", until_empty=True)

    assert seen[ids[1]] == (True, [ids[1]])
    assert seen[ids[0]][0] is False


@pytest.mark.parametrize(("runtime", "is_open"), [("torch-cuda", True), ("onnx-cuda", True), ("openvino", False)])
def test_only_a_worker_whose_model_is_on_a_gpu_has_lanes(
    monkeypatch: pytest.MonkeyPatch, runtime: str, is_open: bool
) -> None:
    opened = Lanes()
    monkeypatch.setattr(worker_child, "lanes", opened)
    monkeypatch.setattr(worker_child.threading, "Thread", Mock())
    engines = Mock(describe=Mock(return_value={"runtime": runtime}))
    monkeypatch.setattr("jobs.inference.engines.engines", lambda: engines)

    worker_child._load_model("worker-1")

    assert opened.is_open is is_open


def test_the_timer_is_set_to_the_earliest_end(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[float | None] = []
    monkeypatch.setattr(faulthandler, "dump_traceback_later", lambda left_s, exit: set_to.append(left_s))
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", lambda: set_to.append(None))
    guard = HangGuard()

    with guard.limit(1000), guard.limit(10), guard.limit(500):
        pass

    assert set_to[-1] is None
    assert [round(left_s, -1) for left_s in set_to[:-1]] == [1000, 10, 10, 10, 1000]
