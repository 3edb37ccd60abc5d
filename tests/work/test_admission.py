"""Tests that the site rejects submissions that would wait too long, and that responses contain the queue's length."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from jobs.errors import QueueFull, TooManyTasks
from jobs.models import Job, JobImage, Status
from jobs.work import admission, queue
from jobs.work.admission import admission_check, outlook
from tests.cast import Person
from tests.quota.actions import ledger_sum, submit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_worker_of_two_seconds(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    settings.MATTING_TEAM_WINDOW = 2
    monkeypatch.setattr(admission, "_last", None)
    monkeypatch.setattr(admission, "seconds_per_image", lambda: 2.0)
    queue.beat("host-1", {"role": "pictures", "host": "host", "pid": 1})
    yield
    admission._last = None


def wait_in_queue(person: Person, pictures: int, urgency: str = "default") -> None:
    job = Job.objects.create(team=person.team, dialect="native", options={}, urgency=urgency, images_total=pictures)
    JobImage.objects.bulk_create(JobImage(job=job, position=position) for position in range(pictures))


def test_a_teams_pictures_are_bounded_and_another_team_is_not_refused(
    alice: Person, charlie: Person, settings: Settings
) -> None:
    settings.MATTING_QUEUE_PICTURES_PER_TEAM = 3
    submit(alice, 3)

    with pytest.raises(TooManyTasks) as refused:
        submit(alice)

    assert refused.value.retry_after_s >= 1
    assert submit(charlie).status == "queued"
    assert ledger_sum(alice) == 3


def test_the_pictures_of_the_whole_site_are_bounded(alice: Person, charlie: Person, settings: Settings) -> None:
    settings.MATTING_QUEUE_PICTURES = 3
    wait_in_queue(alice, 3)

    with pytest.raises(QueueFull):
        admission_check(team=charlie.team, urgency="batch", pictures=1)


def test_a_waiting_request_is_refused_when_its_turn_comes_too_late(alice: Person, settings: Settings) -> None:
    settings.MATTING_QUEUE_WAIT_S = 20
    wait_in_queue(alice, 9, "interactive")
    admission_check(team=alice.team, urgency="interactive", pictures=1)
    wait_in_queue(alice, 1, "interactive")

    with pytest.raises(QueueFull) as refused:
        admission_check(team=alice.team, urgency="interactive", pictures=1)

    assert "10 pictures are ahead, about 22 seconds" in refused.value.message
    assert refused.value.retry_after_s == 11
    admission_check(team=alice.team, urgency="batch", pictures=1)


def test_only_as_many_pictures_of_another_team_are_ahead_as_take_turns(alice: Person, charlie: Person) -> None:
    wait_in_queue(alice, 1000)
    wait_in_queue(alice, 5, "interactive")

    expected = outlook(team=charlie.team, urgency="default", pictures=1)

    assert expected.length == 1 + 5 + (1 + 2)
    assert expected.seconds == 18.0


def test_a_single_request_alone_is_never_refused_for_being_slow(alice: Person, settings: Settings) -> None:
    settings.MATTING_QUEUE_WAIT_S = 1

    admission_check(team=alice.team, urgency="interactive", pictures=1)


def test_the_api_refuses_with_503_and_tells_the_queue_with_202(
    alice: Person, jpeg_bytes: bytes, settings: Settings
) -> None:
    def post(url: str) -> object:
        return alice.api().post(url, {"image": SimpleUploadedFile("photo.jpg", jpeg_bytes)})

    wait_in_queue(alice, 50, "interactive")

    refused = post("/api/jobs/?wait=30")
    assert (refused.status_code, refused.json()["code"]) == (503, "queue_unavailable")
    assert int(refused["Retry-After"]) == 51

    accepted = post("/api/jobs/")
    assert accepted.status_code == 202
    assert (accepted["X-Queue-Length"], accepted["X-Queue-Seconds"]) == ("51", "102.0")
    assert JobImage.objects.filter(status=Status.QUEUED).count() == 51
