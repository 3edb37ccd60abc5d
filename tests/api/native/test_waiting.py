"""Tests of the native API: requests that wait for a job, when the job is cancelled, is deleted or takes too long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from jobs.models import Job
from jobs.work.attempts import image_claim
from jobs.work.cancel import job_cancel
from jobs.work.retention import job_purge
from tests.cast import Person
from tests.quota.actions import ledger_sum
from webserver.parking import GOING_ON, PARKS, Parked

Meanwhile = Callable[[Callable[[Job], object]], None]


def ask(person: Person, picture: bytes, *, accept: str = "image/png", **headers: str) -> Any:
    """Submit a picture, wait up to 5 seconds for its result, and return the response."""
    body = {"image": SimpleUploadedFile("photo.jpg", picture)}
    return person.api().post("/api/jobs/?wait=5", body, headers={"Accept": accept, **headers})


def test_who_waits_for_a_picture_hears_that_its_job_was_cancelled(
    alice: Person, jpeg_bytes: bytes, meanwhile: Meanwhile
) -> None:
    meanwhile(lambda job: job_cancel(actor=alice.actor, job=job))

    answer = ask(alice, jpeg_bytes)

    assert (answer.status_code, answer.json()["code"]) == (409, "canceled")


@pytest.mark.parametrize("accept", ["image/png", "application/json"])
def test_who_waits_hears_that_the_job_was_deleted(
    alice: Person, jpeg_bytes: bytes, meanwhile: Meanwhile, accept: str
) -> None:
    meanwhile(lambda job: job_purge(actor=alice.actor, jobs=[job]))

    answer = ask(alice, jpeg_bytes, accept=accept)

    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


@pytest.fixture
def no_patience(settings, idle_worker: None) -> None:
    settings.MATTING_MAX_WAIT_S = 0


def impatient(person: Person, picture: bytes, **headers: str) -> Any:
    body = {"image": SimpleUploadedFile("photo.jpg", picture)}
    return person.api().post("/api/jobs/", body, headers={"Accept": "image/png", **headers})


@pytest.mark.usefixtures("no_patience")
def test_a_picture_that_no_worker_began_in_time_is_cancelled_and_not_charged(alice: Person, jpeg_bytes: bytes) -> None:
    answer = impatient(alice, jpeg_bytes)

    assert (answer.status_code, answer.json()["code"]) == (503, "timeout")
    assert Job.objects.get().status == "canceled"
    assert ledger_sum(alice) == 0


def test_a_picture_that_has_been_begun_is_left_to_its_worker(
    alice: Person, jpeg_bytes: bytes, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_MAX_WAIT_S = 0
    monkeypatch.setattr("django.db.transaction.on_commit", lambda action, using=None, robust=False: action())
    monkeypatch.setattr(
        "jobs.work.queue.enqueue_images", lambda ids, *, urgency: image_claim(image_id=str(ids[0]), worker="one")
    )

    answer = impatient(alice, jpeg_bytes)

    assert answer.status_code == 503
    assert Job.objects.get().status == "running"
    assert ledger_sum(alice) == 1


@pytest.mark.usefixtures("no_patience")
def test_a_request_that_can_be_repeated_finds_its_job_again(alice: Person, jpeg_bytes: bytes) -> None:
    answers = [impatient(alice, jpeg_bytes, **{"Idempotency-Key": "order-17"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert Job.objects.get().status == "queued"


def parked(person: Person, path: str, picture: bytes, name: str = "image", **headers: str) -> Parked:
    """Submit a picture with a request that waits for the result, and return the Parked response.

    A parked request stays open, but it does not use a thread of the server while it waits.
    name: the form field for the file.
    """
    response = person.api().post(
        path, {name: SimpleUploadedFile("photo.jpg", picture)}, headers=headers, **{PARKS: True}
    )
    assert isinstance(response, Parked)
    return response


@pytest.mark.parametrize("path", ["/api/jobs/?wait=5", "/api/matting/single"])
def test_a_picture_whose_caller_left_before_work_began_is_cancelled_and_not_charged(
    alice: Person, idle_worker: None, jpeg_bytes: bytes, path: str
) -> None:
    waiting = parked(alice, path, jpeg_bytes, Accept="image/png")

    waiting.left()

    assert Job.objects.get().status == "canceled"
    assert ledger_sum(alice) == 0


def test_who_left_and_can_come_back_finds_the_job(alice: Person, idle_worker: None, jpeg_bytes: bytes) -> None:
    waiting = parked(alice, "/api/jobs/?wait=5", jpeg_bytes, Accept="application/json")

    waiting.left()

    assert Job.objects.get().status == "queued"


def test_a_parked_request_goes_on_without_its_body_and_is_counted_once(
    alice: Person, held_worker: Callable[[], None], jpeg_bytes: bytes
) -> None:
    waiting = parked(alice, "/api/jobs/?wait=5", jpeg_bytes, Accept="image/png")
    held_worker()

    answer = alice.api().post("/api/jobs/?wait=5", headers={"Accept": "image/png"}, **{PARKS: True, GOING_ON: waiting})

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["RateLimit"] == '"requests";r=199;t=1'
    assert Job.objects.count() == 1
