"""UNet matting API: estimate how long a batch will take, from the latest measured times and the length of the queue."""

from __future__ import annotations

import math

from django.db.models import Q

from jobs.models import JobImage, Status
from jobs.work import queue
from jobs.work.admission import seconds_per_image


def seconds_until_done(*, extra_images: int = 0) -> int:
    """Return the estimated number of seconds until all unfinished pictures are done; at least 1.

    extra_images: the number of pictures to add to the unfinished pictures.
    """
    waiting = JobImage.objects.filter(Q(status=Status.QUEUED) | Q(status=Status.RUNNING)).count()
    workers = sum(worker.get("role") == "pictures" for worker in queue.live_workers())
    return max(1, math.ceil((waiting + extra_images) * seconds_per_image() / max(1, workers)))
