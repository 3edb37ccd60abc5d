"""Tests that the queues serve teams in turn, even if one team has submitted many pictures."""

from __future__ import annotations

from uuid import UUID

import django_rq
import pytest
from pytest_django import Settings

from jobs.models import JobImage, Status
from jobs.work.capacity import all_held_release
from jobs.work.retry import job_retry
from tests.cast import Person
from tests.quota.actions import claim, fail, submit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _small_window(settings: Settings) -> None:
    settings.MATTING_TEAM_WINDOW = 2


def serve_next() -> UUID:
    """Claim and end the picture of the first message in the queue, and return its team's id."""
    queue = django_rq.get_queue("default-downloads")
    message = queue.pop_job_id()
    image = claim(JobImage.objects.get(pk=message.removeprefix("default-downloads-")))
    assert image is not None
    fail(image)
    return image.job.team_id


def test_a_small_job_waits_for_two_pictures_of_a_large_one_and_then_takes_turns(alice: Person, charlie: Person) -> None:
    submit(alice, 20)
    submit(charlie, 3)

    order = [serve_next() for _ in range(8)]

    a, c = alice.team.pk, charlie.team.pk
    assert order == [a, a, c, c, a, a, c, a]


def test_every_picture_is_served_in_the_order_of_its_submission(alice: Person) -> None:
    jobs = [submit(alice, 3), submit(alice, 2)]
    expected = [image.pk for job in jobs for image in job.images.order_by("position")]

    served = []
    while JobImage.objects.filter(status=Status.QUEUED).exists():
        oldest = django_rq.get_queue("default-downloads").job_ids[0]
        served.append(UUID(oldest.removeprefix("default-downloads-")))
        serve_next()

    assert served == expected


def test_a_retry_of_many_pictures_takes_its_turn_too(alice: Person) -> None:
    job = submit(alice, 5)
    for _ in range(5):
        serve_next()

    assert job_retry(actor=alice.actor, job=job) == 5

    assert django_rq.get_queue("default-downloads").count == 2


def test_the_sweep_queues_what_follows_a_cancelled_picture(alice: Person) -> None:
    submit(alice, 5)
    queue = django_rq.get_queue("default-downloads")
    for message in queue.job_ids:
        JobImage.objects.get(pk=message.removeprefix("default-downloads-")).cancel()
    queue.empty()

    assert all_held_release() == 2

    assert queue.count == 2
