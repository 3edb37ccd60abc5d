"""Queries for the usage of teams."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Sum

from jobs.models import Artifact, BackgroundPicture, JobImage, Status, Team, Upload, UsageEntry
from jobs.teams.actor import Actor


def pictures_by_day(actor: Actor, *, since: dt.date) -> dict[dt.date, int]:
    """Return a dict from day to the number of pictures charged to the team, from `since` on.

    Refunds are subtracted. Days without usage are left out.
    """
    rows = UsageEntry.objects.filter(team=actor.team, day__gte=since).values("day").annotate(total=Sum("pictures"))
    return {row["day"]: row["total"] for row in rows.order_by("day")}


@dataclass(frozen=True, slots=True)
class QualityUse:
    """A team's usage of one quality: the number of charged pictures and their cost in units."""

    quality: str
    pictures: int
    units: int


def use_by_quality(actor: Actor, *, since: dt.date) -> list[QualityUse]:
    """Return the team's usage of each quality from `since` on, the most used quality first.

    Refunds are subtracted. Qualities without charged pictures are left out.
    """
    rows = UsageEntry.objects.filter(team=actor.team, day__gte=since).order_by().values("quality")
    sums = rows.annotate(pictures_sum=Sum("pictures"), units_sum=Sum("units")).order_by("-pictures_sum")
    return [QualityUse(row["quality"], row["pictures_sum"], row["units_sum"]) for row in sums if row["pictures_sum"]]


def stored_bytes(team: Team) -> int:
    """Return the total size of the team's files in bytes, including unused uploads and background pictures."""
    artifacts = Artifact.objects.filter(job__team=team).aggregate(total=Sum("bytes"))["total"] or 0
    uploads = Upload.objects.filter(team=team).aggregate(total=Sum("bytes"))["total"] or 0
    backgrounds = BackgroundPicture.objects.filter(team=team).aggregate(total=Sum("bytes"))["total"] or 0
    return artifacts + uploads + backgrounds


def tasks_of(team: Team) -> dict[str, int]:
    """Return the number of the team's running and waiting pictures, under the keys `running` and `pending`."""
    images = JobImage.objects.filter(job__team=team)
    return {
        "running": images.filter(status=Status.RUNNING).count(),
        "pending": images.filter(status=Status.QUEUED).count(),
    }
