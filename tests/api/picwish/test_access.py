"""Tests of access to the PicWish-compatible segmentation task.

The key can be in different headers, and a team cannot read the tasks of other teams.
"""

from __future__ import annotations

import pytest
from django.test import Client

from jobs.models import Job, Membership
from tests.api.matching import assert_matches, fixture
from tests.api.picwish.caller import LONG, POLLS, VENDOR, submit, upload
from tests.cast import Person, make_person
from tests.fakes import FakeEngine


@pytest.mark.parametrize("header", [{"X-API-KEY": "{}"}, {"Authorization": "Bearer {}"}, {"Authorization": "Token {}"}])
def test_a_key_is_taken_in_both_headers(
    instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes, header: dict[str, str]
) -> None:
    headers = {name: value.format(alice.secret) for name, value in header.items()}

    answer = Client().post(VENDOR, {"image_file": upload(jpeg_bytes)}, headers=headers)

    assert answer.status_code == 200


def test_charlie_and_guessers_find_no_task(
    instant_worker: FakeEngine, alice: Person, charlie: Person, jpeg_bytes: bytes
) -> None:
    task_id = submit(alice, image_file=upload(jpeg_bytes)).json()["data"]["task_id"]

    for path in POLLS:
        for person, guess in ((charlie, task_id), (alice, "3b950563-e53f-4036-a581-5ac04d0829b3"), (alice, "%00")):
            answer = person.api().get(path + guess)
            assert answer.status_code == 404
            assert answer.json() == {"status": 404, "message": "There is no such job."}


def test_a_job_of_another_dialect_is_no_task_here(instant_worker: FakeEngine, alice: Person, jpeg_bytes: bytes) -> None:
    alice.api().post("/api/jobs/", {"image": upload(jpeg_bytes)})

    assert alice.api().get(f"/task/{Job.objects.get().id}").status_code == 404


@pytest.mark.parametrize("path", [LONG, VENDOR, "/task/x"])
def test_without_a_key_it_is_401(db: None, path: str) -> None:
    answer = Client().get(path) if path == "/task/x" else Client().post(path)

    assert (answer.status_code, answer.json()["status"]) == (401, 401)
    assert_matches(answer.json(), fixture("picwish/error.json"))


def test_a_key_that_may_only_read_may_not_submit(db: None, alice: Person, jpeg_bytes: bytes) -> None:
    reader = make_person("reader", alice.team, Membership.Role.MEMBER, scopes=("read",))

    answer = submit(reader, image_file=upload(jpeg_bytes))

    assert (answer.status_code, answer.json()["status"]) == (403, 403)
