"""UNet dialect: how long a batch will take, from the last measured pictures and the queue ahead."""

from __future__ import annotations

import math
from statistics import fmean

from django.db.models import Q

from jobs.models import JobImage, Status
from jobs.work import queue

MEASURED_IMAGES = 50
FIRST_GUESS_S = 1.0  # before the first picture has been measured


def seconds_per_image() -> float:
    """Return the mean time that a worker spent on each of the last pictures, in seconds."""
    recent = JobImage.objects.filter(status=Status.SUCCEEDED).order_by("-enqueued_at")
    timings = recent.values_list("timings_ms", flat=True)[:MEASURED_IMAGES]
    totals_ms = [timing["total"] for timing in timings if timing.get("total")]
    return fmean(totals_ms) / 1000 if totals_ms else FIRST_GUESS_S


def seconds_until_done(*, extra_images: int = 0) -> int:
    """Return the seconds, at least 1, until every waiting and running picture and `extra_images` more are done."""
    waiting = JobImage.objects.filter(Q(status=Status.QUEUED) | Q(status=Status.RUNNING)).count()
    workers = sum(worker.get("role") == "pictures" for worker in queue.live_workers())
    return max(1, math.ceil((waiting + extra_images) * seconds_per_image() / max(1, workers)))
