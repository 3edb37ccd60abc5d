"""Read a team's usage."""

from __future__ import annotations

import datetime as dt

from django.db.models import Sum

from jobs.models import UsageEntry
from jobs.teams.actor import Actor


def pictures_by_day(actor: Actor, *, since: dt.date) -> dict[dt.date, int]:
    """Sum the team's ledger by day: what was charged less what was refunded."""
    rows = UsageEntry.objects.filter(team=actor.team, day__gte=since).values("day").annotate(total=Sum("pictures"))
    return {row["day"]: row["total"] for row in rows.order_by("day")}
