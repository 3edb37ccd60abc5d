"""Tests that waiting requests continue after the broker announces the end of their job.

If the announcement is lost, they continue after the next check of the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from jobs.models import Job
from jobs.work import queue, wakeups
from jobs.work.wakeups import JobWakeups
from tests import loops
from tests.cast import Person
from tests.quota.actions import submit

pytestmark = pytest.mark.django_db(transaction=True)


def waited(job_ids: list[object], action: Callable[[JobWakeups], Awaitable[None]]) -> None:
    """Wait for several jobs at the same time, call `action` during the waits, and return when all waits have ended."""

    async def scene() -> None:
        waking = JobWakeups()
        await waking.start()
        waiting = [asyncio.create_task(waking.wait(queue.topic_of_job(job_id), timeout_s=None)) for job_id in job_ids]
        await asyncio.sleep(0)
        await action(waking)
        async with asyncio.timeout(60):
            await asyncio.gather(*waiting)
        await waking.stop()

    loops.run(scene())


def test_an_announcement_wakes_everybody_who_waits_for_the_job(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "_LOOK_EVERY_S", 3600)
    subscribed: list[int] = []

    async def announce(waking: JobWakeups) -> None:
        while not subscribed or not subscribed[-1]:
            counted = await asyncio.to_thread(queue.connection().pubsub_numpat)
            subscribed.append(counted)
        await asyncio.to_thread(queue.announce_done, "one")

    waited(["one", "one"], announce)


def test_a_job_that_ended_unheard_is_found_in_the_database(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "_LOOK_EVERY_S", 0.01)
    job = submit(alice)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.SUCCEEDED)

    async def nothing(waking: JobWakeups) -> None: ...

    waited([job.pk], nothing)


def test_a_job_that_was_deleted_unheard_is_found_missing(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "_LOOK_EVERY_S", 0.01)

    async def nothing(waking: JobWakeups) -> None: ...

    waited(["0b5c1c8e-7a4e-4d1c-9d0e-0d6a3a3b7f11"], nothing)


def test_only_jobs_that_have_ended_are_found(alice: Person) -> None:
    job = submit(alice)

    assert wakeups.ended_or_deleted([str(job.pk)]) == []
