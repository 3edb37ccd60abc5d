"""Compute the numbers of all teams that the dashboard of the admin shows."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.models import Count, Sum
from django.utils import timezone
from redis.exceptions import RedisError

from jobs.models import Artifact, Job, JobImage, Status, UsageEntry
from jobs.work import queue

DAYS = 30
FAILURE_DAYS = 7
TIMED_PICTURES = 1000
STAGES = ("queue", "fetch", "decode", "model", "post", "encode", "total")
FIGURES_KEY = "keyline.admin.figures"
JOBS_COUNTED_AT_ONCE = 5_000  # up to this number the computation takes some hundredths of a second
_FRESH = dt.timedelta(seconds=60)
_KEPT_S = 24 * 3600
_RENEWAL_S = 600  # after this time another request may start the computation

_NONE_YET: dict[str, Any] = {"as_of": None, "days": [], "failures": [], "stages": [], "storage": [], "users": []}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Day:
    """The number of pictures on one day, by the API or page (`dialect`) that received them."""

    day: dt.date
    by_dialect: dict[str, int] = field(default_factory=dict)

    @property
    def pictures(self) -> int:
        return sum(self.by_dialect.values())


@dataclass(frozen=True, slots=True)
class StageTimes:
    """The median and the 95th percentile of the duration of one processing stage, in milliseconds."""

    stage: str
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Pulse:
    """The current state of the queue and of the workers.

    depths: the number of entries of each queue; None if the queue cannot be reached.
    workers: the last reported values of each live worker; empty if the queue cannot be reached.
    """

    depths: dict[str, int] | None
    workers: list[dict[str, Any]]


def pulse() -> Pulse:
    """Read and return the current state of the queue and of the workers. The result is not cached."""
    try:
        return Pulse(queue.depths(), queue.live_workers())
    except (RedisError, OSError):
        return Pulse(None, [])


def figures() -> dict[str, Any]:
    """Return the cached numbers of all teams. The key `as_of` is the time at which they were computed.

    With a million jobs, the computation takes seconds. Therefore, if there are more than JOBS_COUNTED_AT_ONCE jobs, a
    background thread computes the numbers. Before the first computation ends, the numbers are empty and `as_of` is
    None.
    """
    found: dict[str, Any] | None = cache.get(FIGURES_KEY)
    if found is None and Job.objects.all()[: JOBS_COUNTED_AT_ONCE + 1].count() <= JOBS_COUNTED_AT_ONCE:
        return _renewed()
    is_fresh = found is not None and timezone.now() - found["as_of"] <= _FRESH
    if not is_fresh and cache.add(f"{FIGURES_KEY}.renewing", True, _RENEWAL_S):
        threading.Thread(target=_renew, name="figures", daemon=True).start()
    return _NONE_YET if found is None else found


def _renewed() -> dict[str, Any]:
    found = _figures()
    cache.set(FIGURES_KEY, found, _KEPT_S)
    return found


def _renew() -> None:
    """Compute the numbers and cache them. Then close the database connection of this background thread."""
    try:
        _renewed()
    except DatabaseError:
        logger.warning("the dashboard's figures could not be computed; those before stay", exc_info=True)
    finally:
        cache.delete(f"{FIGURES_KEY}.renewing")
        connection.close()


def _figures() -> dict[str, Any]:
    now = timezone.now()
    month_ago = now - dt.timedelta(days=DAYS)
    return {
        "as_of": now,
        "days": pictures_by_day(timezone.localdate() - dt.timedelta(days=DAYS - 1)),
        "failures": failures_by_code(now - dt.timedelta(days=FAILURE_DAYS)),
        "stages": stage_times(_newest_timings()),
        "storage": list(Artifact.objects.values("job__team__name").annotate(bytes=Sum("bytes")).order_by("-bytes")[:8]),
        "users": list(
            Job.objects.filter(created_at__gte=month_ago, user__isnull=False)
            .values("user__username")
            .annotate(pictures=Sum("images_total"), jobs=Count("id"))
            .order_by("-pictures")[:8]
        ),
    }


def pictures_by_day(since: dt.date) -> list[Day]:
    """Return the number of charged pictures for each day and dialect, from `since` until today.

    A dialect is the API or page that received the pictures. Refunds are subtracted. Days without pictures are included;
    a dialect without pictures on a day is left out.
    """
    rows = UsageEntry.objects.filter(day__gte=since).order_by().values_list("day", "dialect").annotate(Sum("pictures"))
    found: dict[dt.date, dict[str, int]] = defaultdict(dict)
    for day, dialect, pictures in rows:
        if pictures > 0:
            found[day][dialect] = pictures
    days = (timezone.localdate() - since).days + 1
    return [Day(day, found.get(day, {})) for day in (since + dt.timedelta(days=number) for number in range(days))]


def failures_by_code(since: dt.datetime) -> list[dict[str, Any]]:
    """Return the eight most frequent error codes of pictures that were queued since `since`, most frequent first.

    Each dict has the keys `error_code` and `pictures` (the number of pictures).
    """
    failed = JobImage.objects.filter(status=Status.FAILED, enqueued_at__gte=since).order_by()
    rows = failed.values("error_code").annotate(pictures=Count("id")).order_by("-pictures")
    return [dict(row) for row in rows[:8]]


def stage_times(timings: Iterable[dict[str, float]]) -> list[StageTimes]:
    """Return the median and the 95th percentile of the duration of each stage. Stages without values are left out.

    timings: for each picture, the duration of its stages in milliseconds.
    """
    by_stage: dict[str, list[float]] = defaultdict(list)
    for one in timings:
        for stage, duration_ms in one.items():
            by_stage[stage].append(float(duration_ms))
    return [
        StageTimes(stage, _percentile(by_stage[stage], 50), _percentile(by_stage[stage], 95))
        for stage in STAGES
        if by_stage[stage]
    ]


def _newest_timings() -> list[dict[str, float]]:
    done = JobImage.objects.filter(status=Status.SUCCEEDED).order_by("-enqueued_at")
    return list(done.values_list("timings_ms", flat=True)[:TIMED_PICTURES])


def _percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
