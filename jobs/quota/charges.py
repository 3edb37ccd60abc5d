"""Charge pictures to a team, and refuse those that are over its quota."""

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
    """Raise what the charge would raise, before a file is stored. Another submission may still come first."""
    allowances_check(team, quota, units=units)
    if quota.stored_bytes is not None and stored_bytes(team) + new_bytes > quota.stored_bytes:
        raise QuotaExceeded(
            f"The team's {quota.stored_bytes} stored bytes are used up; delete jobs or wait until they expire.",
            window="storage",
        )


def usage_charge(
    *, job: Job, images: Sequence[JobImage], quota: Quota, reason: str = "submitted", units: int | None = None
) -> None:
    """Charge a job's pictures to today, all or none; raise QuotaExceeded or TooManyTasks.

    Each counts `units`, by default as many as the quota gives the job's quality. Runs in the caller's transaction. It
    sets `charged_on` and `charged_units` of the pictures, which the caller saves. The conditional update of the
    window's row makes the charge atomic and keeps that row locked until the commit, so the count of waiting pictures
    cannot change in between. Without pictures nothing is written, and without units no charge.
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
    """Return the quality that a job was submitted with."""
    return str(job.options.get("quality") or Quality.FAST)


def _window_add(team: Team, kind: str, start: dt.date, count: int, limit: int | None) -> None:
    """Add to a window's sum with one conditional update; raise QuotaExceeded when it would pass the limit."""
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
    """Warn the team once per window at each of ALERT_PERCENTS."""
    percent = max((step for step in ALERT_PERCENTS if period.pictures * 100 >= limit * step), default=0)
    if percent <= period.alerted_percent:
        return
    first = UsagePeriod.objects.filter(pk=period.pk, alerted_percent__lt=percent).update(alerted_percent=percent)
    if first:
        sending = {"period_id": period.pk, "percent": percent, "limit": limit}
        after_commit(queue.enqueue_task, QUOTA_ALERT, queue_name="upkeep", **sending)
