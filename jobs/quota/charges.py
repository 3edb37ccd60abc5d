"""Charge pictures to a team's quota, and reject pictures that exceed the quota."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import F
from django.utils import timezone

from jobs.commit import after_commit
from jobs.errors import QuotaExceeded, TooManyTasks
from jobs.models import Job, JobImage, Quota, Status, Team, UsageEntry, UsagePeriod
from jobs.quota.selectors import stored_bytes
from jobs.quota.windows import allowances_check, window_exceeded, window_limit, windows_of
from jobs.work import queue
from jobs.work.registry import Task
from segmentation.options import Quality

ALERT_PERCENTS = (80, 100)
QUOTA_ALERT = Task("quota_alert")


def usage_check(*, team: Team, quota: Quota, new_bytes: int, units: int) -> None:
    """Raise QuotaExceeded if the quota of the day, of the month or of the storage is too small for new pictures.

    Call this function before the files are stored. Another submission may use up the quota before `usage_charge` is
    called.

    quota: the quota of the team.
    new_bytes: the total size of the files to store.
    units: the total cost of the pictures in quota units.
    """
    allowances_check(team, quota, units=units)
    if quota.stored_bytes is not None and stored_bytes(team) + new_bytes > quota.stored_bytes:
        raise QuotaExceeded(
            f"The team's {quota.stored_bytes} stored bytes are used up; delete jobs or wait until they expire.",
            window="storage",
        )


def usage_charge(
    *, job: Job, images: Sequence[JobImage], quota: Quota, reason: str = "submitted", units: int | None = None
) -> None:
    """Charge the pictures of a job to the team's quota of today and of this month.

    Call the function inside a transaction. It sets `charged_on` and `charged_units` of the pictures, and the caller
    saves the pictures. One conditional update changes the row of the day, and another one the row of the month. Both
    rows stay locked until the commit, so other submissions cannot add waiting pictures before the commit.

    If there are no pictures or each costs 0 units, nothing is charged.

    reason: the text in the ledger.
    units: the cost of each picture; None for the number that the quota defines for the job's quality.

    Raise QuotaExceeded if the quota is too small for all pictures together, and TooManyTasks if too many pictures wait.
    """
    if not images:
        return
    today = timezone.localdate()
    quality = quality_of(job)
    if units is None:
        units = quota.units_of(quality)
    if units == 0:
        _pending_check(job, len(images), quota)
        return
    for kind, start in windows_of(today):
        _window_add(job.team, kind, start, len(images) * units, window_limit(quota, kind))
    _pending_check(job, len(images), quota)
    UsageEntry.objects.create(
        team=job.team,
        day=today,
        kind=UsageEntry.Kind.CHARGE,
        pictures=len(images),
        units=len(images) * units,
        quality=quality,
        dialect=job.dialect,
        job_id=job.pk,
        reason=reason,
    )
    for image in images:
        image.charged_on, image.charged_units = today, units


def quality_of(job: Job) -> str:
    """Return the quality with which a job was submitted. The default is `fast`."""
    return str(job.options.get("quality") or Quality.FAST)


def _window_add(team: Team, kind: str, start: dt.date, count: int, limit: int | None) -> None:
    """Add units to the sum of a day or month with one conditional update. Raise QuotaExceeded if the limit is exceeded.

    kind: `day` or `month`.
    start: the first day of this window.
    limit: the quota in units; None for no limit.
    """
    period = UsagePeriod.objects.filter(team=team, kind=kind, starts_on=start)
    with_room = period if limit is None else period.filter(pictures__lte=limit - count)
    if with_room.update(pictures=F("pictures") + count) == 0:
        UsagePeriod.objects.bulk_create([UsagePeriod(team=team, kind=kind, starts_on=start)], ignore_conflicts=True)
        if with_room.update(pictures=F("pictures") + count) == 0:
            raise window_exceeded(kind, start, limit)
    if limit:
        _alert(period.get(), limit)


def _pending_check(job: Job, count: int, quota: Quota) -> None:
    waiting = JobImage.objects.filter(status=Status.QUEUED, job__team=job.team).exclude(job=job)
    if quota.pending_tasks is not None and waiting.count() + count > quota.pending_tasks:
        raise TooManyTasks(f"The team may have {quota.pending_tasks} pictures waiting.")
    limit = quota.dialect_limits(job.dialect).pending_tasks
    if limit is not None and waiting.filter(job__dialect=job.dialect).count() + count > limit:
        raise TooManyTasks(f"The team may have {limit} pictures waiting here.")


def _alert(period: UsagePeriod, limit: int) -> None:
    """Queue a warning if the usage has reached one of ALERT_PERCENTS.

    Each warning is sent at most once for each day or month.
    """
    percent = max((step for step in ALERT_PERCENTS if period.pictures * 100 >= limit * step), default=0)
    if percent <= period.alerted_percent:
        return
    first = UsagePeriod.objects.filter(pk=period.pk, alerted_percent__lt=percent).update(alerted_percent=percent)
    if first:
        sending = {"period_id": period.pk, "percent": percent, "limit": limit}
        after_commit(queue.enqueue_task, QUOTA_ALERT, queue_name="upkeep", **sending)
