"""Limit how many pictures of one team run at the same time; the others are held outside the queue.

A worker that takes a picture of a team at its limit holds it, so that it does not block other teams' pictures. When a
picture of the team ends, the next held one is queued again. The sweep does the same after other changes, such as a
raised limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from jobs.commit import after_commit
from jobs.models import Job, JobImage, Status, Team
from jobs.quota.limits import quota_of
from jobs.work.dispatch import images_send
from jobs.work.fairness import in_stage, window_room

_SWEEP_LIMIT = 500


def claim_allowed(job: Job) -> bool:
    """Return whether the job's team may run one more picture. In a transaction, which then holds the team's lock."""
    if not _is_limited(job):
        return True
    _lock(job.team_id)
    return _room(job.team, job.dialect) > 0


@contextmanager
def room_given_back(job: Job) -> Iterator[None]:
    """Run the end of a picture, then queue the team's next held one. In a transaction.

    The team's lock is taken before the picture's rows, in the same order as a claim takes them. It also makes sure that
    a picture held at this moment is either seen here or sees the room itself.
    """
    if not _is_limited(job):
        yield
        return
    _lock(job.team_id)
    yield
    held_release(job.team)


def held_release(team: Team) -> int:
    """Queue as many of a team's held pictures as its limits and its share of the queues allow; return how many."""
    rooms: dict[str, int] = {}
    urgencies = list(_held(team).order_by().values_list("job__urgency", flat=True).distinct())
    return sum(
        _release(team, urgency, is_remote=is_remote, rooms=rooms)
        for urgency in urgencies
        for is_remote in (False, True)
    )


def all_held_release() -> int:
    """Do the same for every team with held pictures. The sweep calls it."""
    teams = Team.objects.filter(jobs__images__in=JobImage.objects.filter(is_held=True, status=Status.QUEUED)).distinct()
    released = 0
    for team in teams.select_related("quota"):
        with transaction.atomic():
            _lock(team.pk)
            released += held_release(team)
    return released


def _release(team: Team, urgency: str, *, is_remote: bool, rooms: dict[str, int]) -> int:
    """Queue held pictures of one queue, the oldest first; `rooms` caches and counts the room in each dialect."""
    left = window_room(team.pk, urgency, is_remote=is_remote)
    if left <= 0:
        return 0
    held = in_stage(_held(team).filter(job__urgency=urgency), is_remote=is_remote)
    released: list[UUID] = []
    oldest = held.order_by("job__created_at", "position").values_list("pk", "job__dialect")
    for image_id, dialect in oldest[:_SWEEP_LIMIT]:
        if dialect not in rooms:
            rooms[dialect] = _room(team, dialect)
        # Another process may release the same pictures: the one whose update counts sends the message.
        if rooms[dialect] > 0 and JobImage.objects.filter(pk=image_id, is_held=True).update(is_held=False) == 1:
            rooms[dialect] -= 1
            released.append(image_id)
        if len(released) == left:
            break
    if released:
        after_commit(images_send, released, urgency=urgency)
    return len(released)


def _room(team: Team, dialect: str) -> int:
    """Return how many more pictures of the team may run in a dialect, at most `_SWEEP_LIMIT`."""
    quota = quota_of(team)
    running = JobImage.objects.filter(status=Status.RUNNING, job__team=team)
    rooms = [_SWEEP_LIMIT]
    if quota.running_tasks is not None:
        rooms.append(quota.running_tasks - running.count())
    of_dialect = quota.dialect_limits(dialect).running_tasks
    if of_dialect is not None:
        rooms.append(of_dialect - running.filter(job__dialect=dialect).count())
    return min(rooms)


def _is_limited(job: Job) -> bool:
    quota = quota_of(job.team)
    return quota.running_tasks is not None or quota.dialect_limits(job.dialect).running_tasks is not None


def _lock(team_id: UUID) -> None:
    Team.objects.select_for_update(no_key=True).get(pk=team_id)


def _held(team: Team) -> QuerySet[JobImage]:
    return JobImage.objects.filter(is_held=True, status=Status.QUEUED, job__team=team)
