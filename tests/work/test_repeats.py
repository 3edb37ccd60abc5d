"""Tests of a client that repeats a request because it got no response to the first one."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from jobs.api.parking import job_abandon
from jobs.intake.sources import accept_bytes
from jobs.models import Job, UsageEntry
from jobs.work.cancel import job_cancel
from jobs.work.repeats import jobs_delivered
from jobs.work.submission import Door, job_submit
from segmentation.options import CutoutOptions
from tests.cast import Person
from tests.photos import encoded
from tests.quota.actions import claim, fail, ledger_sum, succeed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _window(settings: Settings) -> None:
    settings.MATTING_REPEAT_WINDOW_S = 600


@pytest.fixture(scope="module")
def photo() -> bytes:
    return encoded("JPEG", quality=60)


def submit(person: Person, data: bytes, *, options: CutoutOptions | None = None, **door: object) -> Job:
    return job_submit(
        actor=person.actor,
        door=Door(**{"dialect": "native", **door}),
        options=options or CutoutOptions(),
        sources=[accept_bytes(data, name="photo.jpg")],
    )


def test_a_repetition_gets_the_job_that_is_under_way_and_is_not_charged(alice: Person, photo: bytes) -> None:
    first = submit(alice, photo)

    again = submit(alice, photo)

    assert again.pk == first.pk
    assert ledger_sum(alice) == 1


def test_a_repetition_gets_the_result_that_was_not_delivered(alice: Person, photo: bytes) -> None:
    first = submit(alice, photo)
    succeed(claim(first.images.get()))

    again = submit(alice, photo)

    assert (again.pk, again.status) == (first.pk, "succeeded")


def test_a_client_that_leaves_cancels_no_job_that_a_repetition_waits_for(alice: Person, photo: bytes) -> None:
    first = submit(alice, photo)
    again = submit(alice, photo)

    job_abandon(actor=alice.actor, job=first)
    again.refresh_from_db()
    assert again.status == "queued"


def test_a_client_that_leaves_alone_is_not_charged(alice: Person, photo: bytes) -> None:
    job_abandon(actor=alice.actor, job=submit(alice, photo))

    assert Job.objects.get().status == "canceled"
    assert ledger_sum(alice) == 0


def test_once_the_answer_is_delivered_the_same_request_is_a_new_one(alice: Person, photo: bytes) -> None:
    first = submit(alice, photo)
    jobs_delivered([first.pk])

    assert submit(alice, photo).pk != first.pk


@pytest.mark.parametrize("ended", ["failed", "canceled"])
def test_a_job_without_a_result_is_tried_again(alice: Person, photo: bytes, ended: str) -> None:
    first = submit(alice, photo)
    if ended == "failed":
        fail(claim(first.images.get()))
    else:
        job_cancel(actor=alice.actor, job=first)

    assert submit(alice, photo).pk != first.pk


def test_another_caller_option_name_or_route_is_another_request(
    alice: Person, bob: Person, charlie: Person, photo: bytes
) -> None:
    jobs = [
        submit(alice, photo),
        submit(bob, photo),
        submit(charlie, photo),
        submit(alice, photo, options=CutoutOptions(feathering=True)),
        submit(alice, photo, dialect="web"),
        submit(alice, photo, callback_url="https://93.184.216.34/hook"),
        submit(alice, encoded("JPEG", quality=61)),
    ]

    assert len({job.pk for job in jobs}) == len(jobs)


def test_an_old_request_is_forgotten_and_the_setting_switches_it_off(
    alice: Person, photo: bytes, settings: Settings
) -> None:
    first = submit(alice, photo)
    Job.objects.update(created_at=timezone.now() - dt.timedelta(seconds=601))
    second = submit(alice, photo)
    assert second.pk != first.pk

    settings.MATTING_REPEAT_WINDOW_S = 0

    assert submit(alice, photo).pk != second.pk


@pytest.mark.django_db(transaction=True)
def test_the_same_request_twice_at_the_same_moment_makes_one_job(
    alice: Person, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2, timeout=20)
    found: list[Job] = []

    def store_together(*args: object, store: Callable = job_submit.__globals__["_store_source"]) -> object:
        together.wait()  # both have looked for an earlier request and found none
        return store(*args)

    monkeypatch.setattr("jobs.work.submission._store_source", store_together)

    def run() -> None:
        found.append(submit(alice, photo))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({job.pk for job in found}) == Job.objects.count() == 1
    assert UsageEntry.objects.count() == 1
