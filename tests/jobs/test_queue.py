"""Stages 4 and 5: what a worker does around every message that it takes."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from jobs import queue
from jobs.models import Team

_answers: list[str] = []


def look() -> None:
    """Be a task that asks the database; the first one finds that its server was restarted."""
    if not _answers:
        _answers.append("failed")
        connection.connection.close()
        connection.errors_occurred = True  # as every failing query leaves it
        raise OperationalError("server closed the connection unexpectedly")
    Team.objects.count()
    _answers.append("answered")


@pytest.mark.django_db(transaction=True)
def test_a_task_is_not_given_the_database_connection_that_broke_under_the_one_before() -> None:
    _answers.clear()
    Team.objects.count()
    for _ in range(3):
        queue.enqueue_task("tests.jobs.test_queue.look", queue_name="upkeep")

    queue.serve(["upkeep"], name="worker-1", until_empty=True)

    assert _answers == ["failed", "answered", "answered"]
