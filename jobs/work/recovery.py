"""Recovery of the pictures of dead workers. Lost messages are sent again."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from redis.exceptions import RedisError

from jobs.errors import WorkerLost
from jobs.models import JobImage, Status
from jobs.work import queue
from jobs.work.attempts import image_fail
from jobs.work.capacity import all_held_release, room_given_back
from jobs.work.dispatch import images_send
from jobs.work.leases import LeasedWork, recover, sweep

# The number of times that another process may kill the worker of a picture; further kills count against the picture.
_MOST_ENDINGS = 30
# A message counts as lost this long after the picture was queued; before that, a worker may be about to claim it. A
# second message for a picture does no harm.
_MISSED_AFTER = dt.timedelta(seconds=5)


def images_recover() -> int:
    """Queue the pictures of dead workers again, and send lost messages again. Return the number of pictures.

    A picture whose workers died too often fails instead.
    """
    return sweep(_Pictures()) + all_held_release()


def leases_release(*, worker: str, is_strike: bool = True) -> int:
    """Recover the pictures of a dead worker before its leases expire; return the number of pictures.

    worker: the name of the worker.
    is_strike: True if the picture may have caused the end of the worker. A picture that may have ended several workers
    fails.
    """
    pictures = _Pictures(is_strike=is_strike)
    return recover(pictures, pictures.rows().filter(status=Status.RUNNING, claimed_by=worker))


def leases_release_of_host(*, host: str) -> int:
    """Recover the pictures of this host's dead workers; return the number of pictures.

    The parent process of the workers calls this function when it starts. The event that ended the previous parent also
    ended all its workers, so no picture counts as the cause.
    host: the name of this host.
    """
    names = JobImage.objects.filter(status=Status.RUNNING, claimed_by__startswith=f"{host}-").values_list("claimed_by")
    return sum(leases_release(worker=name, is_strike=False) for (name,) in set(names) if not _runs_here(name))


def _runs_here(worker: str) -> bool:
    pid = worker.rpartition("-")[2]
    return not pid.isdecimal() or Path(f"/proc/{pid}").exists()


def _live_worker_names() -> set[str]:
    try:
        return {f"{worker['host']}-{worker['pid']}" for worker in queue.live_workers()}
    except (RedisError, OSError):
        return set()


class _Pictures(LeasedWork[JobImage]):
    def __init__(self, *, is_strike: bool = True) -> None:
        self.max_strikes = settings.MATTING_MAX_DELIVERIES if is_strike else None
        self._is_strike = is_strike
        self._alive = _live_worker_names()

    def rows(self) -> QuerySet[JobImage]:
        images = JobImage.objects.select_related("job__team__quota").order_by("enqueued_at")
        return images.filter(status__in=(Status.QUEUED, Status.RUNNING))

    def due(self) -> QuerySet[JobImage]:
        is_missed = Q(enqueued_at__lt=timezone.now() - _MISSED_AFTER)
        was_postponed = Q(next_try_at__isnull=False)  # no message was sent when the retry became due
        return JobImage.claimable().filter(is_missed | was_postponed, is_held=False).order_by("enqueued_at")

    def sent_ids(self) -> set[str]:
        return queue.waiting_image_ids()

    def send(self, rows: Sequence[JobImage]) -> int:
        ids: dict[str, list[UUID]] = defaultdict(list)
        for image in rows:
            ids[image.job.urgency].append(image.pk)
        for urgency, image_ids in ids.items():
            images_send(image_ids, urgency=urgency)
        return len(rows)

    def release(self, row: JobImage) -> bool:
        # A worker that is alive but could not renew its lease has had a fault of the database, which is not a strike.
        was_ended = not self._is_strike and row.attempt < _MOST_ENDINGS
        is_innocent = was_ended or row.claimed_by in self._alive
        values: dict[str, Any] = {"attempts_before": F("attempts_before") + 1} if is_innocent else {}
        with transaction.atomic(), room_given_back(row.job):
            return row.release(**values)

    def give_up(self, row: JobImage) -> bool:
        return image_fail(image=row, error=WorkerLost())
