"""Stage 3, job: charge what a team uses, refund it once, refuse what is over its quota, and change the quota."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.commit import after_commit
from jobs.errors import QuotaExceeded, TooManyTasks
from jobs.models import Action, Artifact, Job, JobImage, Quota, Status, Team, Upload, UsageEntry, UsagePeriod
from jobs.work import queue
from jobs.work.registry import Task
from segmentation.errors import ImageDimensions, ImageTooLarge, InvalidParameter
from segmentation.image import Limits, Probe

ALERT_PERCENTS = (80, 100)
QUOTA_ALERT = Task("quota_alert")
_Period = UsagePeriod.Kind


@dataclass(frozen=True, slots=True)
class Allowance:
    """Say how much of one period's pictures is used; limit None means no limit. `resets_at` is when it starts anew."""

    kind: str
    limit: int | None
    used: int
    resets_at: dt.datetime

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)


def quota_of(team: Team) -> Quota:
    """Give the team's quota, or the site's defaults when it has none of its own."""
    try:
        return team.quota
    except Quota.DoesNotExist:
        return Quota.default_of(team)


def quota_change(*, author: Author, team: Team, **changes: Any) -> Quota:
    """Set some of a team's limits and record what they were; what is not named keeps its value."""
    unknown = sorted(set(changes) - {*Quota.LIMITS, "dialects"})
    if unknown:
        raise InvalidParameter(f"quota: there is no limit named {unknown[0]}", field=unknown[0])
    with transaction.atomic():
        Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        quota = Quota.objects.filter(pk=team.pk).first() or Quota.default_of(team)
        before = quota.as_json()
        for name, value in changes.items():
            setattr(quota, name, value)
        _check_limits(quota)
        quota.save()
        after = quota.as_json()
        if after != before:
            _audit_limits(author, team, before, after)
    return quota


def quota_reset(*, author: Author, team: Team) -> Quota:
    """Take a team's own quota away, so that the site's defaults bind it again, and record what it was; give them."""
    default = Quota.default_of(team)
    with transaction.atomic():
        Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        quota = Quota.objects.filter(pk=team.pk).first()
        if quota is not None:
            before = quota.as_json()
            quota.delete()
            _audit_limits(author, team, before, default.as_json())
    return default


def _audit_limits(author: Author, team: Team, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Record the limits that differ."""
    changed = [name for name in after if after[name] != before[name]]
    audit_append(
        action=Action.QUOTA_CHANGED,
        author=replace(author, team_id=team.pk, team_name=team.name),
        target=team,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )


def _check_limits(quota: Quota) -> None:
    try:
        quota.full_clean(validate_unique=False)
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        raise InvalidParameter(f"{field}: {problems[0]}", field=field) from None


# What is used --------------------------------------------------------------------------------------------------------


def allowances(team: Team, quota: Quota | None = None) -> list[Allowance]:
    """Give today's and this month's allowance."""
    quota = quota or quota_of(team)
    today = timezone.localdate()
    rows = UsagePeriod.objects.filter(team=team, starts_on__in={start for _, start in _periods(today)})
    used = {(row.kind, row.starts_on): row.pictures for row in rows}
    return [
        Allowance(kind, _limit(quota, kind), used.get((kind, start), 0), _end_of(kind, start))
        for kind, start in _periods(today)
    ]


def stored_bytes(team: Team) -> int:
    """Sum up the team's stored files, uploads that wait for their job among them."""
    kept = (Artifact.objects.filter(job__team=team), Upload.objects.filter(team=team))
    return sum(files.aggregate(total=Sum("bytes"))["total"] or 0 for files in kept)


def tasks_of(team: Team) -> dict[str, int]:
    """Count the team's pictures that run and that wait."""
    images = JobImage.objects.filter(job__team=team)
    return {
        "running": images.filter(status=Status.RUNNING).count(),
        "pending": images.filter(status=Status.QUEUED).count(),
    }


# Submission -----------------------------------------------------------------------------------------------------------


def limits_within(limits: Limits, quota: Quota) -> Limits:
    """Narrow a door's limits to the team's largest picture."""
    pixels = quota.max_image_megapixels
    return replace(
        limits,
        max_bytes=min(limits.max_bytes, quota.max_image_bytes or limits.max_bytes),
        max_pixels=min(limits.max_pixels, int(pixels * 1_000_000) if pixels else limits.max_pixels),
    )


def picture_check(probe: Probe, limits: Limits) -> None:
    """Refuse a picture, already checked against its door's limits, that is over the team's own."""
    if probe.bytes > limits.max_bytes:
        raise ImageTooLarge(f"The picture has {probe.bytes} bytes, your team may send {limits.max_bytes}.")
    if probe.width * probe.height > limits.max_pixels:
        raise ImageDimensions(
            f"The picture has {probe.width} x {probe.height} pixels, your team may send "
            f"{limits.max_pixels / 1_000_000:g} megapixels."
        )


def usage_check(*, team: Team, quota: Quota, pictures: int, new_bytes: int) -> None:
    """Refuse early what the charge would refuse, before a file is stored; nothing is promised by passing."""
    if quota.images_per_day is not None or quota.images_per_month is not None:
        for allowance in allowances(team, quota):
            if allowance.left is not None and pictures > allowance.left:
                raise _exceeded(allowance.kind, allowance.limit, allowance.resets_at)
    if quota.stored_bytes is not None and stored_bytes(team) + new_bytes > quota.stored_bytes:
        raise QuotaExceeded(
            f"The team's {quota.stored_bytes} stored bytes are used up; delete jobs or wait until they expire.",
            window="storage",
        )


def usage_charge(*, job: Job, images: Sequence[JobImage], quota: Quota, reason: str = "submitted") -> None:
    """Charge a job's pictures to today, all or none; raise QuotaExceeded or TooManyTasks.

    In the caller's transaction; the pictures' charged_on is set here and saved by the caller. The conditional update of
    the period's row is what makes it atomic: it also keeps that row locked until the commit, so the count of waiting
    pictures cannot change in between. Nothing is written for no pictures.
    """
    if not images:
        return
    today = timezone.localdate()
    for kind, start in _periods(today):
        _period_add(job.team, kind, start, len(images), _limit(quota, kind))
    _pending_check(job, len(images), quota)
    UsageEntry.objects.create(
        team=job.team,
        day=today,
        kind=UsageEntry.Kind.CHARGE,
        pictures=len(images),
        dialect=job.dialect,
        job_id=job.pk,
        reason=reason,
    )
    for image in images:
        image.charged_on = today


def usage_refund(*, job: Job, image_ids: Sequence[UUID], reason: str) -> int:
    """Take back the charges of pictures that still carry one; say how many. In the caller's transaction.

    A picture's charge is cleared by a conditional update, so it is refunded once, whoever comes first.
    """
    charged = JobImage.objects.filter(pk__in=image_ids, charged_on__isnull=False)
    by_day: dict[dt.date, list[UUID]] = defaultdict(list)
    for image_id, day in charged.values_list("pk", "charged_on"):
        by_day[day].append(image_id)
    refunded: dict[dt.date, int] = {}
    for day, ids in sorted(by_day.items()):
        refunded[day] = JobImage.objects.filter(pk__in=ids, charged_on=day).update(charged_on=None)
    _refund_write(job, {day: count for day, count in refunded.items() if count}, reason)
    return sum(refunded.values())


def _refund_write(job: Job, counts: dict[dt.date, int], reason: str) -> None:
    by_period: Counter[tuple[str, dt.date]] = Counter()
    for day, count in counts.items():
        by_period.update(dict.fromkeys(_periods(day), count))
    for kind, start in sorted(by_period):  # days before months, as a charge locks them
        UsagePeriod.objects.filter(team_id=job.team_id, kind=kind, starts_on=start).update(
            pictures=F("pictures") - by_period[kind, start]
        )
    for day, count in counts.items():
        UsageEntry.objects.create(
            team_id=job.team_id,
            day=day,
            kind=UsageEntry.Kind.REFUND,
            pictures=-count,
            dialect=job.dialect,
            job_id=job.pk,
            reason=reason[:40],
        )


def _period_add(team: Team, kind: str, start: dt.date, count: int, limit: int | None) -> None:
    """Add to a period's sum unless that would pass the limit; one conditional update decides."""
    period = UsagePeriod.objects.filter(team=team, kind=kind, starts_on=start)
    with_room = period if limit is None else period.filter(pictures__lte=limit - count)
    if with_room.update(pictures=F("pictures") + count) == 0:
        UsagePeriod.objects.bulk_create([UsagePeriod(team=team, kind=kind, starts_on=start)], ignore_conflicts=True)
        if with_room.update(pictures=F("pictures") + count) == 0:
            raise _exceeded(kind, limit, _end_of(kind, start))
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
    """Tell the team once a period that it has passed 80 %, and once that all is used."""
    percent = max((step for step in ALERT_PERCENTS if period.pictures * 100 >= limit * step), default=0)
    if percent <= period.alerted_percent:
        return
    first = UsagePeriod.objects.filter(pk=period.pk, alerted_percent__lt=percent).update(alerted_percent=percent)
    if first:
        sending = {"period_id": period.pk, "percent": percent, "limit": limit}
        after_commit(queue.enqueue_task, QUOTA_ALERT, queue_name="upkeep", **sending)


# Days and months ------------------------------------------------------------------------------------------------------


def _periods(day: dt.date) -> tuple[tuple[str, dt.date], tuple[str, dt.date]]:
    """Name the day and the month that a day belongs to, in the order of their locks: all days, then all months."""
    return (_Period.DAY, day), (_Period.MONTH, day.replace(day=1))


def _limit(quota: Quota, kind: str) -> int | None:
    return quota.images_per_day if kind == _Period.DAY else quota.images_per_month


def _end_of(kind: str, start: dt.date) -> dt.datetime:
    """Give the moment at which a day or month ends, in the site's time zone."""
    next_month = (start + dt.timedelta(days=32)).replace(day=1)
    following = start + dt.timedelta(days=1) if kind == _Period.DAY else next_month
    return timezone.make_aware(dt.datetime.combine(following, dt.time()))


def _exceeded(kind: str, limit: int | None, resets_at: dt.datetime) -> QuotaExceeded:
    seconds = max(1, int((resets_at - timezone.now()).total_seconds()))
    return QuotaExceeded(
        f"The team's {limit} pictures a {kind} are used up; more from {resets_at:%Y-%m-%d %H:%M %Z}.",
        window=kind,
        retry_after_s=seconds,
    )
