"""Read what teams use."""

from __future__ import annotations

import datetime as dt

from django.db.models import Sum

from jobs.models import Artifact, JobImage, Status, Team, Upload, UsageEntry
from jobs.teams.actor import Actor


def pictures_by_day(actor: Actor, *, since: dt.date) -> dict[dt.date, int]:
    """Return the team's charged pictures by day, refunds subtracted."""
    rows = UsageEntry.objects.filter(team=actor.team, day__gte=since).values("day").annotate(total=Sum("pictures"))
    return {row["day"]: row["total"] for row in rows.order_by("day")}


def stored_bytes(team: Team) -> int:
    """Return the total size of the team's stored files, including uploads that no job has used yet."""
    artifacts = Artifact.objects.filter(job__team=team).aggregate(total=Sum("bytes"))["total"] or 0
    uploads = Upload.objects.filter(team=team).aggregate(total=Sum("bytes"))["total"] or 0
    return artifacts + uploads


def tasks_of(team: Team) -> dict[str, int]:
    """Return the numbers of the team's running and waiting pictures."""
    images = JobImage.objects.filter(job__team=team)
    return {
        "running": images.filter(status=Status.RUNNING).count(),
        "pending": images.filter(status=Status.QUEUED).count(),
    }
