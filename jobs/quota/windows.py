"""The windows of a quota (days and months in the site's time zone), and the used units of each window."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from jobs.errors import QuotaExceeded
from jobs.models import Quota, Team, UsagePeriod
from jobs.quota.limits import quota_of

_Kind = UsagePeriod.Kind


@dataclass(frozen=True, slots=True)
class Allowance:
    """The usage of one window (a day or a month) in quota units. A picture of high quality may cost several units.

    kind: `day` or `month`.
    limit: the quota; None for no limit.
    used: the units that are used.
    resets_at: the time at which the window ends and the usage begins again at 0.
    """

    kind: str
    limit: int | None
    used: int
    resets_at: dt.datetime

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)


def windows_of(day: dt.date) -> tuple[tuple[str, dt.date], tuple[str, dt.date]]:
    """Return the day and the month that contain `day`, as pairs of the kind and the first day.

    The rows of these windows in the database must be locked in this order.
    """
    return (_Kind.DAY, day), (_Kind.MONTH, day.replace(day=1))


def window_limit(quota: Quota, kind: str) -> int | None:
    return quota.images_per_day if kind == _Kind.DAY else quota.images_per_month


def window_exceeded(kind: str, start: dt.date, limit: int | None) -> QuotaExceeded:
    """Return (do not raise) the error for a quota of a day or month that is used up.

    kind: `day` or `month`.
    start: the first day of the window.
    limit: the quota, for the message.

    `retry_after_s` of the error is the number of seconds until the window ends.
    """
    resets_at = _end_of(kind, start)
    return QuotaExceeded(
        f"The team's {limit} pictures a {kind} are used up; more from {resets_at:%Y-%m-%d %H:%M %Z}.",
        window=kind,
        retry_after_s=max(1, int((resets_at - timezone.now()).total_seconds())),
    )


def allowances(team: Team, quota: Quota | None = None) -> list[Allowance]:
    """Return the team's usage of today and of this month, in this order.

    quota: the team's quota if the caller has already read it; None reads it from the database.
    """
    quota = quota or quota_of(team)
    windows = windows_of(timezone.localdate())
    rows = UsagePeriod.objects.filter(team=team, starts_on__in={start for _, start in windows})
    used = {(row.kind, row.starts_on): row.pictures for row in rows}
    return [
        Allowance(kind, window_limit(quota, kind), used.get((kind, start), 0), _end_of(kind, start))
        for kind, start in windows
    ]


def allowances_check(team: Team, quota: Quota, *, units: int) -> None:
    """Raise QuotaExceeded if fewer than `units` units remain today or this month."""
    if quota.images_per_day is None and quota.images_per_month is None:
        return
    today = timezone.localdate()
    for allowance, (kind, start) in zip(allowances(team, quota), windows_of(today), strict=True):
        if allowance.left is not None and units > allowance.left:
            raise window_exceeded(kind, start, allowance.limit)


def _end_of(kind: str, start: dt.date) -> dt.datetime:
    """Return the time at which a window ends.

    kind: `day` or `month`.
    start: the first day of the window.
    """
    next_month = (start + dt.timedelta(days=32)).replace(day=1)
    following = start + dt.timedelta(days=1) if kind == _Kind.DAY else next_month
    return timezone.make_aware(dt.datetime.combine(following, dt.time()))
