"""Refund the charges of pictures. Each charge is refunded at most once."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.db.models import F

from jobs.models import Job, JobImage, UsageEntry, UsagePeriod
from jobs.quota.charges import quality_of
from jobs.quota.windows import windows_of


def usage_refund(*, job: Job, image_ids: Sequence[UUID], reason: str) -> int:
    """Refund the given pictures that are still charged, and return their number. Call it inside a transaction.

    reason: the text in the ledger, such as an error code.

    A conditional update removes the charge of each picture, so concurrent calls do not refund a picture twice.
    """
    charged = JobImage.objects.filter(pk__in=image_ids, charged_on__isnull=False)
    groups: dict[tuple[dt.date, int], list[UUID]] = defaultdict(list)
    for image_id, day, units in charged.values_list("pk", "charged_on", "charged_units"):
        if day is not None:
            groups[day, units].append(image_id)
    pictures: Counter[dt.date] = Counter()
    sums: Counter[dt.date] = Counter()
    for (day, units), ids in sorted(groups.items()):
        count = JobImage.objects.filter(pk__in=ids, charged_on=day).update(charged_on=None)
        pictures[day] += count
        sums[day] += count * units
    _write(job, pictures, sums, reason)
    return pictures.total()


def usage_reduce(*, image: JobImage, by: int, reason: str) -> int:
    """Refund a part of a picture's charge, and return the number of refunded units. Call it inside a transaction.

    by: the number of units to refund. If the charge is smaller, the whole charge is refunded.
    reason: the text in the ledger.

    A conditional update changes the charge, so only one of several concurrent calls makes a refund.
    """
    day, units = image.charged_on, min(by, image.charged_units)
    if day is None or units <= 0:
        return 0
    charged = JobImage.objects.filter(pk=image.pk, charged_on=day, charged_units=image.charged_units)
    if charged.update(charged_units=F("charged_units") - units) == 0:
        return 0
    _write(image.job, Counter({day: 0}), Counter({day: units}), reason)
    return units


def _write(job: Job, pictures: Counter[dt.date], units: Counter[dt.date], reason: str) -> None:
    by_window: Counter[tuple[str, dt.date]] = Counter()
    for day, count in units.items():
        by_window.update(dict.fromkeys(windows_of(day), count))
    for kind, start in sorted(by_window):  # days before months, the order in which a charge locks them
        UsagePeriod.objects.filter(team_id=job.team_id, kind=kind, starts_on=start).update(
            pictures=F("pictures") - by_window[kind, start]
        )
    for day, count in pictures.items():
        if not units[day]:
            continue
        UsageEntry.objects.create(
            team_id=job.team_id,
            day=day,
            kind=UsageEntry.Kind.REFUND,
            pictures=-count,
            units=-units[day],
            quality=quality_of(job),
            dialect=job.dialect,
            job_id=job.pk,
            reason=reason[:40],
        )
