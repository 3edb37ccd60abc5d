"""Tests of drafts: cutouts at screen size, which the editor shows before the full-size result."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image
from redis import Redis

from jobs.models import Job, JobImage
from jobs.work import drafts, queue
from jobs.work.cancel import job_cancel
from tests import photos
from tests.api.native.sent import photo
from tests.cast import Person

pytestmark = pytest.mark.django_db
LARGE = (2400, 1700)


def submitted(client: Client, size: tuple[int, int], **values: Any) -> JobImage:
    """Submit one picture of `size` pixels, (width, height), and return its row."""
    pixels = np.asarray(Image.fromarray(photos.astronaut()).resize(size))
    response = client.post("/api/jobs/", {"image": photo(photos.encode(pixels, "JPEG")), **values})
    return JobImage.objects.get(job=response.json()["id"])


def draft_of(client: Client, image: JobImage, query: str = "?wait=5") -> Any:
    return client.get(f"/jobs/{image.job_id}/{image.position}/draft{query}")


def test_the_worker_makes_a_draft_of_a_large_picture(alice: Person, instant_worker: object) -> None:
    image = submitted(alice.browser(), LARGE)

    response = draft_of(alice.browser(), image)

    assert (response.status_code, response["Content-Type"], response["Cache-Control"]) == (
        200,
        "image/webp",
        "no-store",
    )
    assert Image.open(io.BytesIO(response.content)).size == (1024, 725)


@pytest.mark.parametrize("size", [(1200, 900), (2400, 1600)], ids=["small", "just below the limit"])
def test_a_small_picture_has_no_draft(alice: Person, instant_worker: object, size: tuple[int, int]) -> None:
    assert draft_of(alice.browser(), submitted(alice.browser(), size)).status_code == 204


def test_a_picture_of_an_api_client_has_no_draft(alice: Person, instant_worker: object) -> None:
    image = submitted(alice.api(), LARGE)

    assert queue.connection().keys("keyline:draft:*") == []
    assert draft_of(alice.browser(), image).status_code == 204


def test_a_correction_has_no_draft(alice: Person, instant_worker: object) -> None:
    image = submitted(alice.browser(), LARGE)
    job_id = alice.browser().post(f"/api/jobs/{image.job_id}/again", {"threshold": 40}).json()["id"]

    assert not drafts.has_draft(JobImage.objects.get(job=job_id))


def test_a_draft_that_may_still_come_is_not_there_yet(alice: Person, idle_worker: object) -> None:
    image = submitted(alice.browser(), LARGE)

    assert [draft_of(alice.browser(), image, query).status_code for query in ("", "?wait=1")] == [202, 202]


def test_a_trial_without_sign_in_has_no_draft(alice: Person, instant_worker: object) -> None:
    image = submitted(alice.browser(), LARGE)
    Job.objects.filter(pk=image.job_id).update(user=None)

    assert not drafts.has_draft(JobImage.objects.get(pk=image.pk))


def test_the_draft_of_another_teams_picture_is_not_found(
    alice: Person, charlie: Person, instant_worker: object
) -> None:
    assert draft_of(charlie.browser(), submitted(alice.browser(), LARGE)).status_code == 404


def test_a_missing_picture_has_no_draft(alice: Person, idle_worker: object) -> None:
    image = submitted(alice.browser(), LARGE)
    image.position = 7

    assert draft_of(alice.browser(), image).status_code == 404


def test_a_cancelled_job_has_no_draft_to_wait_for(alice: Person, idle_worker: object) -> None:
    image = submitted(alice.browser(), LARGE)
    job_cancel(actor=alice.actor, job=Job.objects.get(pk=image.job_id))

    assert draft_of(alice.browser(), image, "?wait=55").status_code == 204


def test_a_lost_draft_does_not_fail_the_picture(
    alice: Person, instant_worker: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "queue", SimpleNamespace(connection=lambda: Redis(unix_socket_path="/nowhere/broker")))

    image = submitted(alice.browser(), LARGE)

    assert image.status == "succeeded"
    assert draft_of(alice.browser(), image).status_code == 204
