"""The limit for the number of pictures of one team that run at the same time. The team's other pictures are held.

A held picture is not in the queue. If a team is at its limit, a worker marks the team's next picture as held, and takes
a picture of another team. When a picture of the team ends, the next held picture is queued again. The regular recovery
(`jobs.work.recovery`) also queues held pictures, for example after a limit was raised.
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
    """Return whether another picture of the job's team may start now.

    Call this function inside a transaction. If the team has a limit, the team's row stays locked until the end of the
    transaction.
    """
    if not _is_limited(job):
        return True
    _lock(job.team_id)
    return _room(job.team, job.dialect) > 0


@contextmanager
def room_given_back(job: Job) -> Iterator[None]:
    """Return a context manager for a block that ends a picture. Afterwards, held pictures of the team are queued.

    A held picture waits outside the queue. Use the context manager inside a transaction. If the team has a limit, the
    context manager locks the team's row before the block locks the picture's row, in the same order as `image_claim`.
    Because of the lock, a concurrent claim cannot mark a picture as held after this function has looked for held
    pictures.
    """
    if not _is_limited(job):
        yield
        return
    _lock(job.team_id)
    yield
    held_release(job.team)


def held_release(team: Team) -> int:
    """Queue as many held pictures of a team as its limits and its share of the queues allow.

    A held picture waits outside the queue. Return the number of queued pictures.
    """
    rooms: dict[str, int] = {}
    urgencies = list(_held(team).order_by().values_list("job__urgency", flat=True).distinct())
    return sum(
        _release(team, urgency, is_remote=is_remote, rooms=rooms)
        for urgency in urgencies
        for is_remote in (False, True)
    )


def all_held_release() -> int:
    """Call `held_release` for each team with held pictures, and return the number of queued pictures.

    A held picture waits outside the queue. `images_recover` calls this function regularly.
    """
    teams = Team.objects.filter(jobs__images__in=JobImage.objects.filter(is_held=True, status=Status.QUEUED)).distinct()
    released = 0
    for team in teams.select_related("quota"):
        with transaction.atomic():
            _lock(team.pk)
            released += held_release(team)
    return released


def _release(team: Team, urgency: str, *, is_remote: bool, rooms: dict[str, int]) -> int:
    """Queue the team's held pictures for one queue, oldest first, and return the number of pictures.

    A held picture waits outside the queue.
    urgency: the Job.Urgency of the queue.
    is_remote: True for the download queue, False for the model queue.
    rooms: a cache of the number of pictures that may still start, by API dialect (emulated vendor API).
    """
    left = window_room(team.pk, urgency, is_remote=is_remote)
    if left <= 0:
        return 0
    held = in_stage(_held(team).filter(job__urgency=urgency), is_remote=is_remote)
    released: list[UUID] = []
    oldest = held.order_by("job__created_at", "position").values_list("pk", "job__dialect")
    for image_id, dialect in oldest[:_SWEEP_LIMIT]:
        if dialect not in rooms:
            rooms[dialect] = _room(team, dialect)
        # Another process may release the same pictures; only the process whose update succeeds sends the message.
        if rooms[dialect] > 0 and JobImage.objects.filter(pk=image_id, is_held=True).update(is_held=False) == 1:
            rooms[dialect] -= 1
            released.append(image_id)
        if len(released) == left:
            break
    if released:
        after_commit(images_send, released, urgency=urgency)
    return len(released)


def _room(team: Team, dialect: str) -> int:
    """Return how many more pictures of the team may run now, at most `_SWEEP_LIMIT`.

    dialect: the API dialect (emulated vendor API) of the pictures, which may have its own limit.
    """
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
