"""The dashboard of the admin: charts and tables with the numbers of the whole site."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from jobs.admin.figures import Day, figures, pulse
from jobs.models.dialects import dialect_names
from jobs.work import queue

CHART_WIDTH, CHART_HEIGHT = 900, 180
_GAP = 6


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of the bar chart. It shows the number of pictures that one API or page received on one day.

    dialect: the name of the API or page.
    series: the position of `dialect` in the list of shown names, which determines the colour.
    x, y, width, height: the upper left corner and the size, in the units of the chart's SVG view box.
    """

    dialect: str
    series: int
    pictures: int
    x: float
    y: float
    width: float
    height: float
    day: dt.date


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the template context of the admin's first page. The key `board` contains the numbers of the site.

    If the user may not view jobs, return `context` unchanged.
    """
    if not request.user.has_perm("jobs.view_job"):
        return context
    found, now = figures(), pulse()
    depths = now.depths or {}
    most = max((day.pictures for day in found["days"]), default=0)
    shown = [dialect for dialect in dialect_names() if any(dialect in day.by_dialect for day in found["days"])]
    context["board"] = {
        **found,
        "blocks": chart_blocks(found["days"], most, shown),
        "most": most,
        "chart_width": CHART_WIDTH,
        "chart_height": CHART_HEIGHT,
        "dialects": shown,
        "tiles": _tiles(found, depths, now.workers, queue_answers=now.depths is not None),
        "depths": depths,
        "workers": now.workers,
        "slowest_ms": max((one.p95_ms for one in found["stages"]), default=0),
    }
    return context


def chart_blocks(days: list[Day], most: int, dialects: list[str]) -> list[Block]:
    """Return the blocks of the bar chart: one block for each day and dialect with pictures, stacked by day.

    A dialect is the API or page that received the pictures.

    most: the largest number of pictures on one day, which fills the height of the chart.
    dialects: the names of the shown dialects; the first one is at the bottom.
    """
    step = CHART_WIDTH / max(1, len(days))
    blocks = []
    for number, day in enumerate(days):
        top = float(CHART_HEIGHT)
        for series, dialect in enumerate(dialects):
            pictures = day.by_dialect.get(dialect, 0)
            if pictures:
                height = pictures / most * CHART_HEIGHT
                top -= height
                x = number * step + _GAP / 2
                blocks.append(Block(dialect, series, pictures, x, top, step - _GAP, height, day.day))
    return blocks


def _tiles(
    found: dict[str, Any], depths: dict[str, int], workers: list[dict[str, Any]], *, queue_answers: bool
) -> list[dict[str, Any]]:
    days: list[Day] = found["days"]
    waiting = sum(depth for name, depth in depths.items() if name not in queue.LIGHT_QUEUES)
    alive = [worker for worker in workers if worker.get("role") == "pictures"]
    failed = sum(row["pictures"] for row in found["failures"])
    return [
        {"name": _("Pictures today"), "value": days[-1].pictures if days else "…"},
        {"name": _("Pictures in 30 days"), "value": sum(day.pictures for day in days) if days else "…"},
        {"name": _("Failed in 7 days"), "value": failed if days else "…", "bad": failed > 0},
        {
            "name": _("Waiting in the queue"),
            "value": waiting if queue_answers else _("no queue"),
            "bad": not queue_answers,
        },
        {"name": _("Workers alive"), "value": len(alive), "bad": not alive},
    ]
