"""Recover the pictures of dead workers and send lost messages again."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from redis.exceptions import RedisError

from jobs.errors import WorkerLost
from jobs.models import JobImage, Status
from jobs.work import queue
from jobs.work.attempts import image_fail
from jobs.work.capacity import all_held_release, room_given_back
from jobs.work.dispatch import images_send
from jobs.work.leases import LeasedWork, recover, sweep

# A message is missed only this long after it was due: its worker may be about to claim the picture.
_MISSED_AFTER = dt.timedelta(seconds=15)


def images_recover() -> int:
    """Queue the pictures of dead workers again, fail those that lost too many workers, and resend lost messages.

    Return the number of pictures.
    """
    return sweep(_Pictures()) + all_held_release()


def leases_release(*, worker: str) -> int:
    """Recover the pictures of a worker that is known to be dead before its leases expire; return the number."""
    pictures = _Pictures()
    return recover(pictures, pictures.rows().filter(status=Status.RUNNING, claimed_by=worker))


def _live_worker_names() -> set[str]:
    try:
        return {f"{worker['host']}-{worker['pid']}" for worker in queue.live_workers()}
    except (RedisError, OSError):
        return set()


class _Pictures(LeasedWork[JobImage]):
    def __init__(self) -> None:
        self.max_strikes = settings.MATTING_MAX_DELIVERIES
        self._alive = _live_worker_names()

    def rows(self) -> QuerySet[JobImage]:
        images = JobImage.objects.select_related("job__team__quota").order_by("enqueued_at")
        return images.filter(status__in=(Status.QUEUED, Status.RUNNING))

    def due(self) -> QuerySet[JobImage]:
        missed = timezone.now() - _MISSED_AFTER
        return JobImage.claimable().filter(is_held=False, enqueued_at__lt=missed).order_by("enqueued_at")

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
        # A worker that is alive but could not renew its lease met a fault of the database, which is no strike.
        is_alive = row.claimed_by in self._alive
        values: dict[str, Any] = {"attempts_before": F("attempts_before") + 1} if is_alive else {}
        with transaction.atomic(), room_given_back(row.job):
            return row.release(**values)

    def give_up(self, row: JobImage) -> bool:
        return image_fail(image=row, error=WorkerLost())
