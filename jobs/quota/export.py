"""Export the usage of all teams for billing: one row for each team, API key, day, API and quality."""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from typing import TextIO
from uuid import UUID

from jobs.models import Job, UsageEntry

COLUMNS = ("day", "team_id", "team", "key", "api", "quality", "charged", "refunded", "pictures", "units")
_JOBS_PER_QUERY = 500


def usage_export(*, output: TextIO, first_day: dt.date, last_day: dt.date) -> int:
    """Write one CSV line for each team, API key, day, API and quality, and return the number of lines.

    The column `key` contains the public id of the API key that submitted the job. It is empty for jobs of the site's
    pages, and for deleted jobs, because their charges remain.

    first_day, last_day: the first and the last day to export.
    """
    sums: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    entries = UsageEntry.objects.filter(day__range=(first_day, last_day)).select_related("team").order_by("pk")
    batch: list[UsageEntry] = []
    for entry in entries.iterator(chunk_size=_JOBS_PER_QUERY):
        batch.append(entry)
        if len(batch) == _JOBS_PER_QUERY:
            _add(sums, batch)
            batch = []
    _add(sums, batch)
    writer = csv.writer(output)
    writer.writerow(COLUMNS)
    for group, (charged, refunded, units) in sorted(sums.items()):
        writer.writerow([*map(_harmless, group), charged, refunded, charged - refunded, units])
    return len(sums)


def _add(sums: dict[tuple[str, ...], list[int]], entries: list[UsageEntry]) -> None:
    keys = _keys_of({entry.job_id for entry in entries})
    for entry in entries:
        key = keys.get(entry.job_id, "")
        group = (str(entry.day), str(entry.team_id), entry.team.name, key, entry.dialect, entry.quality)
        charged, refunded = max(0, entry.pictures), max(0, -entry.pictures)
        row = sums[group]
        row[0], row[1], row[2] = row[0] + charged, row[1] + refunded, row[2] + entry.units


def _keys_of(job_ids: set[UUID]) -> dict[UUID, str]:
    rows = Job.objects.filter(pk__in=job_ids, api_key__isnull=False).values_list("pk", "api_key__public_id")
    return dict(rows)


def _harmless(text: str) -> str:
    """Return the text for a CSV cell. Put an apostrophe in front of it if a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
