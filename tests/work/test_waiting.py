"""Tests that a request that waits for a job continues, even if the broker loses the message about the job's end."""

from __future__ import annotations

import time

import pytest
from redis.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError

from jobs.work import waiting
from jobs.work.waiting import wait_for_job
from tests.cast import Person
from tests.quota.actions import claim, submit, succeed

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("lost", ["subscribe", "get_message"])
def test_a_job_that_ends_while_the_broker_is_away_is_seen_in_the_database(
    alice: Person, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    job = submit(alice)
    image = claim(job.images.get())

    def broken(self: PubSub, *args: object, **values: object) -> None:
        raise RedisConnectionError("Connection closed by server.")

    monkeypatch.setattr(PubSub, lost, broken)
    monkeypatch.setattr(waiting, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(time, "sleep", lambda _: succeed(image))

    assert wait_for_job(job.id, timeout_s=30).status == "succeeded"
