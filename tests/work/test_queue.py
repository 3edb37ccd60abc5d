"""Tests of the steps of a worker before and after each message."""

from __future__ import annotations

import ctypes
import os
import signal

import django_rq
import pytest
from django.conf import settings
from django.db import OperationalError, connection
from redis.exceptions import ConnectionError as RedisConnectionError
from rq import SimpleWorker
from rq.job import Job as Message

from jobs.models import Team
from jobs.running.worker import worker_programs
from jobs.work import queue, registry, serving
from jobs.work.registry import Task, runs
from tests.stack import wait_for

LOOK, HANG = Task("look"), Task("hang", timeout_s=1)
_answers: list[str] = []


@runs(LOOK)
def look() -> None:
    """Query the database. The first call raises the error that occurs after a restart of the database server."""
    if not _answers:
        _answers.append("failed")
        connection.connection.close()
        connection.errors_occurred = True  # every failing query leaves the connection in this state
        raise OperationalError("server closed the connection unexpectedly")
    Team.objects.count()
    _answers.append("answered")


@pytest.mark.django_db(transaction=True)
def test_a_task_is_not_given_the_database_connection_that_broke_under_the_one_before() -> None:
    _answers.clear()
    Team.objects.count()
    for _ in range(3):
        queue.enqueue_task(LOOK, queue_name="upkeep")

    serving.serve(["upkeep"], name="worker-1", until_empty=True)

    assert _answers == ["failed", "answered", "answered"]


@pytest.mark.django_db(transaction=True)
def test_a_message_of_version_1_0_0_runs_the_task_that_replaces_its_function(monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[str] = []
    monkeypatch.setitem(registry._functions, queue.IMAGE_PROCESS.name, run.append)
    old = django_rq.get_queue("default", commit_mode="auto")
    old.enqueue_call("jobs.tasks.image_process", args=("a-picture",), job_id="image-a-picture")

    serving.serve(["default"], name="worker-1", until_empty=True)

    assert run == ["a-picture"]


@pytest.mark.django_db(transaction=True)
def test_a_message_that_a_second_worker_has_removed_meanwhile_is_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def removed(image_id: str) -> None:
        Message.fetch(f"default-{image_id}", connection=queue.connection()).delete()

    monkeypatch.setitem(registry._functions, queue.IMAGE_PROCESS.name, removed)
    queue.enqueue_task(queue.IMAGE_PROCESS, "a-picture", queue_name="default", row_id="a-picture")

    serving.serve(["default"], name="worker-1", until_empty=True)

    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_worker_process_outlives_its_broker_and_keeps_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[str] = []

    def work(worker: SimpleWorker, **options: object) -> None:
        served.append(worker.name)
        if len(served) == 1:
            raise RedisConnectionError("the broker was killed")

    monkeypatch.setattr(serving._Worker, "work", work)
    monkeypatch.setattr(serving.time, "sleep", lambda seconds: None)

    serving.serve(["upkeep"], name="worker-1", until_empty=True)

    assert [name.rpartition("-")[0] for name in served] == ["worker-1-0", "worker-1-1"]


def test_a_worker_process_outlives_a_broker_that_is_away_when_it_starts_to_serve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([RedisConnectionError("connection refused"), None])

    def set_address(worker: SimpleWorker, connection: object) -> None:
        worker.ip_address = "unknown"
        if error := next(answers):
            raise error

    served: list[str] = []
    monkeypatch.setattr(serving._Worker, "_set_ip_address", set_address)
    monkeypatch.setattr(serving._Worker, "work", lambda worker, **options: served.append(worker.name))
    monkeypatch.setattr(serving.time, "sleep", lambda seconds: None)

    serving.serve(["upkeep"], name="worker-1", until_empty=True)

    assert [name.rpartition("-")[0] for name in served] == ["worker-1-1"]


def test_a_worker_that_is_told_to_stop_while_its_broker_is_away_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(worker: serving._Worker, **options: object) -> None:
        worker.is_to_stop = True
        raise RedisConnectionError("the broker was killed")

    monkeypatch.setattr(serving._Worker, "work", work)

    serving.serve(["upkeep"], name="worker-1")


@runs(HANG)
def hang() -> None:
    """Block forever in native code, like a driver that does not return."""
    mutex, library = ctypes.create_string_buffer(64), ctypes.CDLL(None)
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)


@pytest.mark.django_db(transaction=True)  # the worker looks at its database connection between tasks
def test_a_worker_that_hangs_in_native_code_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HANG_MARGIN_S", 0)
    queue.enqueue_task(HANG, queue_name="upkeep")
    worker = os.fork()
    if worker == 0:
        try:
            serving.serve(["upkeep"], name="worker-1", until_empty=True)
        finally:
            os._exit(0)
    ended: list[int] = []

    def has_ended() -> bool:
        process, status = os.waitpid(worker, os.WNOHANG)
        ended.extend([os.waitstatus_to_exitcode(status)] if process else [])
        return bool(ended)

    try:
        wait_for(has_ended, timeout_s=60, what="the worker hangs")
    finally:
        if not ended:
            os.kill(worker, signal.SIGKILL)
            os.waitpid(worker, 0)

    assert ended == [1]


def test_downloads_webhooks_and_zips_wait_for_processes_of_their_own() -> None:
    roles = [program.command[-1] for program in worker_programs(2)]

    assert roles == ["pictures", "pictures", "downloads", "downloads", "webhooks", "slow-webhooks", "upkeep"]


def test_with_several_gpus_each_worker_with_a_model_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.running.worker.visible_gpus", lambda: ["0", "1"])

    programs = worker_programs(3)

    given = [program.environment.get("CUDA_VISIBLE_DEVICES") for program in programs]
    assert given[:4] == ["0", "1", "0", None]


def test_every_queue_is_set_up_and_served_by_one_role() -> None:
    served = [name for names in queue.QUEUES_OF_ROLE.values() for name in names]

    assert sorted(served) == sorted(queue.QUEUES) == sorted(settings.RQ_QUEUES)
