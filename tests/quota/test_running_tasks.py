"""Tests of the limit of a team's running tasks: more pictures wait outside the queue and do not delay other teams."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from jobs.models import JobImage, Status
from jobs.work import queue
from jobs.work.cancel import job_cancel
from jobs.work.capacity import all_held_release
from jobs.work.recovery import images_recover
from tests.cast import Person

from .actions import claim, fail, set_quota, submit, succeed

pytestmark = pytest.mark.django_db(transaction=True)


def queued_ids() -> set[str]:
    return queue.waiting_image_ids()


def test_a_picture_over_the_limit_is_held_and_not_lost(alice: Person) -> None:
    set_quota(alice, running_tasks=1)
    first, second = submit(alice, 2).images.all()
    assert claim(first) is not None

    assert claim(second) is None

    second.refresh_from_db()
    assert (second.status, second.is_held) == (Status.QUEUED, True)


def test_the_end_of_one_queues_the_next_held_one(alice: Person) -> None:
    set_quota(alice, running_tasks=1)
    images = list(submit(alice, 3).images.all())
    running = claim(images[0])
    assert [claim(image) for image in images[1:]] == [None, None]
    queue.connection().flushall()

    succeed(running)

    assert queued_ids() == {str(images[1].pk)}
    assert claim(images[1]) is not None


@pytest.mark.parametrize("end", ["fail", "cancel", "crash"])
def test_every_way_to_end_gives_the_room_back(alice: Person, end: str) -> None:
    set_quota(alice, running_tasks=1)
    running, waiting = (submit(alice).images.get() for _ in range(2))
    running = claim(running)
    assert claim(waiting) is None

    if end == "fail":
        fail(running)
    elif end == "cancel":
        job_cancel(actor=alice.actor, job=running.job)
    else:
        JobImage.objects.filter(pk=running.pk).update(leased_until=timezone.now() - dt.timedelta(seconds=1))
        images_recover()

    assert str(waiting.pk) in queued_ids()


def test_another_team_is_not_held_up(alice: Person, charlie: Person) -> None:
    set_quota(alice, running_tasks=1)
    images = list(submit(alice, 3).images.all())
    claim(images[0])
    other = submit(charlie).images.get()

    assert claim(images[1]) is None
    assert claim(other) is not None


def test_the_sweeper_leaves_held_pictures_alone_while_there_is_no_room(alice: Person) -> None:
    set_quota(alice, running_tasks=1)
    images = list(submit(alice, 2).images.all())
    claim(images[0])
    claim(images[1])
    queue.connection().flushall()
    JobImage.objects.update(enqueued_at=timezone.now() - dt.timedelta(minutes=5))

    images_recover()

    assert queued_ids() == set()


def test_the_sweeper_queues_held_pictures_when_the_limit_is_raised(alice: Person) -> None:
    set_quota(alice, running_tasks=1)
    images = list(submit(alice, 3).images.all())
    claim(images[0])
    for image in images[1:]:
        claim(image)
    queue.connection().flushall()
    set_quota(alice, running_tasks=None)

    assert all_held_release() == 2

    assert queued_ids() == {str(image.pk) for image in images[1:]}


def test_a_dialects_own_limit_leaves_the_teams_other_pictures_alone(alice: Person) -> None:
    set_quota(alice, dialects={"sample": {"running_tasks": 1}})
    first, second = (submit(alice, dialect="sample").images.get() for _ in range(2))
    native = submit(alice).images.get()
    assert claim(first) is not None

    assert claim(second) is None
    assert claim(native) is not None


def test_the_quota_can_widen_a_dialects_own_limit(alice: Person) -> None:
    set_quota(alice, dialects={"sample": {"running_tasks": 2}})
    images = [submit(alice, dialect="sample").images.get() for _ in range(3)]

    claimed = [claim(image) is not None for image in images]

    assert claimed == [True, True, False]
