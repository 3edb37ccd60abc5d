"""Tests of the native API: a request that is repeated with the same Idempotency-Key creates only one job."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from jobs.api import submitting
from jobs.models import Job, Upload
from tests.cast import Person

from .sent import photo

pytestmark = pytest.mark.django_db


def test_a_repeated_idempotency_key_answers_the_first_job(alice: Person, jpeg_bytes, instant_worker):
    api = alice.api()

    first = api.post("/api/jobs/", {"image": photo(jpeg_bytes)}, headers={"Idempotency-Key": "order-17"})
    again = api.post("/api/jobs/", {"image": photo(jpeg_bytes)}, headers={"Idempotency-Key": "order-17"})
    other = api.post(
        "/api/jobs/", {"image": photo(jpeg_bytes), "threshold": "20"}, headers={"Idempotency-Key": "order-17"}
    )

    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 422
    assert Job.objects.count() == 1


def test_an_idempotency_key_with_another_callback_is_another_request(alice: Person, jpeg_bytes, idle_worker):
    def sent(callback_url: str):
        fields = {"image": photo(jpeg_bytes), "callback_url": callback_url}
        return alice.api().post("/api/jobs/", fields, headers={"Idempotency-Key": "order-17"})

    first, again, other = (sent(f"https://example.com/{name}") for name in ("one", "one", "two"))

    assert first.json()["id"] == again.json()["id"]
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")


@pytest.mark.parametrize("threshold", ["10", "20"])
def test_an_idempotency_key_is_free_again_after_a_day(alice: Person, jpeg_bytes, idle_worker, threshold):
    def sent(**fields: str):
        fields = {"image": photo(jpeg_bytes), **fields}
        return alice.api().post("/api/jobs/", fields, headers={"Idempotency-Key": "order-17"})

    first = sent().json()["id"]
    Job.objects.update(created_at=timezone.now() - dt.timedelta(hours=23, minutes=59))
    assert sent().json()["id"] == first
    Job.objects.update(created_at=timezone.now() - dt.timedelta(hours=24))

    second = sent(threshold=threshold)

    assert second.status_code == 202
    assert second.json()["id"] != first
    assert sent(threshold=threshold).json()["id"] == second.json()["id"]
    assert alice.api().get(f"/api/jobs/{first}/").status_code == 200


def test_an_idempotency_key_opens_no_job_that_its_sender_may_not_see(
    alice: Person, bob: Person, jpeg_bytes, instant_worker
):
    bob.team.members_see_all = False
    bob.team.save()

    first, clash = (
        person.browser().post("/api/jobs/", {"image": photo(jpeg_bytes)}, headers={"Idempotency-Key": "order-17"})
        for person in (alice, bob)
    )

    assert (clash.status_code, clash.json()["code"]) == (409, "idempotency_conflict")
    assert first.json()["id"] not in clash.content.decode()
    assert Job.objects.count() == 1


def test_a_repeated_upload_is_stored_once(alice: Person, jpeg_bytes, png_bytes):
    def sent(data: bytes, key: str):
        return alice.api().post("/api/uploads/", {"image": photo(data)}, headers={"Idempotency-Key": key})

    first, replay, other = sent(jpeg_bytes, "one"), sent(jpeg_bytes, "one"), sent(png_bytes, "one")

    assert first.json()["id"] == replay.json()["id"]
    assert (replay.headers["Idempotent-Replayed"], Upload.objects.count()) == ("true", 1)
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")


def test_a_request_that_was_stored_at_the_same_moment_is_answered_with_its_job(
    alice: Person, jpeg_bytes, idle_worker, monkeypatch
):
    headers = {"Idempotency-Key": "same moment"}
    first = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes)}, headers=headers)
    find, asked = submitting.job_by_idempotency_key, []

    def not_yet(actor, key):
        asked.append(key)
        return find(actor, key) if len(asked) > 1 else None

    monkeypatch.setattr(submitting, "job_by_idempotency_key", not_yet)

    second = alice.api().post("/api/jobs/", {"image": photo(jpeg_bytes)}, headers=headers)

    assert second.json()["id"] == first.json()["id"]
    assert (second.headers["Idempotent-Replayed"], Job.objects.count()) == ("true", 1)
