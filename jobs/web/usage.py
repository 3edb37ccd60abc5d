"""The page of the team's usage, with the remaining quota and the number of pictures by day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.views.generic import TemplateView

from jobs.quota.limits import quota_of
from jobs.quota.selectors import pictures_by_day, stored_bytes, tasks_of, use_by_quality
from jobs.quota.windows import allowances
from jobs.web import words
from jobs.web.session import TeamPage

DAYS_SHOWN = 30
_CHART_HEIGHT = 120
_BAR_WIDTH = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's bar of the bar chart. x, y and height are in the units of the chart's SVG view box."""

    day: dt.date
    pictures: int
    x: float
    y: float
    height: float


class UsageView(TeamPage, TemplateView):
    """Page that shows the team's quotas, storage, running and waiting pictures, and a bar chart of thirty days."""

    template_name = "usage.html"
    section = "usage"

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        team = self.actor.team
        quota = quota_of(team)
        used_bytes = stored_bytes(team)
        since = timezone.localdate() - dt.timedelta(days=DAYS_SHOWN - 1)
        bars = bars_of(pictures_by_day(self.actor, since=since))
        return super().get_context_data(
            allowances=allowances(team, quota),
            quota=quota,
            stored_bytes=used_bytes,
            tasks=tasks_of(team),
            bars=bars,
            qualities=[
                {"label": words.QUALITIES.get(use.quality, use.quality), "pictures": use.pictures, "units": use.units}
                for use in use_by_quality(self.actor, since=since)
            ],
            chart_width=DAYS_SHOWN * _BAR_WIDTH,
            chart_height=_CHART_HEIGHT,
            bar_width=_BAR_WIDTH - 4,
            most=max((bar.pictures for bar in bars), default=0),
            **values,
        )


def bars_of(pictures: dict[dt.date, int]) -> list[Bar]:
    """Return one bar for each of the last DAYS_SHOWN days. The highest bar has the full height of the chart.

    pictures: the number of pictures by day.
    """
    today = timezone.localdate()
    days = [today - dt.timedelta(days=DAYS_SHOWN - 1 - number) for number in range(DAYS_SHOWN)]
    most = max(max(pictures.values(), default=0), 1)
    return [
        Bar(
            day=day,
            pictures=pictures.get(day, 0),
            x=number * _BAR_WIDTH + 2,
            y=_CHART_HEIGHT - max(0, pictures.get(day, 0)) / most * _CHART_HEIGHT,
            height=max(0, pictures.get(day, 0)) / most * _CHART_HEIGHT,
        )
        for number, day in enumerate(days)
    ]
