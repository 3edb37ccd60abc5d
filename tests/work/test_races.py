"""Tests in which two requests, or a request and a worker, change the same job at the same time."""

from __future__ import annotations

import logging

import django_rq
import pytest
from django_rq.queues import get_connection
from rq.executions import ExecutionRegistry

from jobs.errors import JobNotFound
from jobs.models import Job
from jobs.work import queue, serving
from jobs.work.cancel import job_cancel
from jobs.work.registry import Task, runs
from jobs.work.retention import job_purge
from jobs.work.retry import job_retry
from tests.cast import Person
from tests.quota.actions import submit

pytestmark = pytest.mark.django_db
NOTHING = Task("nothing")


@runs(NOTHING)
def do_nothing() -> None: ...


@pytest.mark.parametrize("change", [job_cancel, job_retry])
def test_a_job_that_is_deleted_meanwhile_is_not_found(alice: Person, change: object) -> None:
    stale = submit(alice)
    job_purge(actor=alice.actor, jobs=[Job.objects.get()])

    with pytest.raises(JobNotFound):
        change(actor=alice.actor, job=stale)


def test_what_a_killed_worker_left_in_the_queue_disturbs_no_later_message(caplog: pytest.LogCaptureFixture) -> None:
    left = ExecutionRegistry("upkeep-1", connection=get_connection("default"))
    left.connection.zadd(left.key, {"killed": 4_000_000_000})

    queue.enqueue_task(NOTHING, queue_name="upkeep", row_id="1")
    with caplog.at_level(logging.ERROR):
        serving.serve(["upkeep"], name="worker-1", until_empty=True)

    assert caplog.records == []
    assert django_rq.get_queue("upkeep").failed_job_registry.count == 0
    assert not left.connection.exists("rq:job:upkeep-1")
