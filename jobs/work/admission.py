"""Admission control: estimate waiting times, and reject requests whose pictures would wait too long.

The number of waiting pictures is limited for each team and for the whole site. An interactive request (a client waits
for its response) is also rejected if its expected time exceeds MATTING_QUEUE_WAIT_S, because the client would
disconnect before the end.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean

from django.conf import settings
from django.db.models import Count
from redis.exceptions import RedisError

from jobs.errors import QueueFull, TooManyTasks
from jobs.models import Job, JobImage, Status, Team
from jobs.work import queue

MEASURED_IMAGES = 50
FIRST_GUESS_S = 1.0  # used until the first picture has been measured
_MEASUREMENT_KEPT_S = 5.0
_LONGEST_RETRY_S = 600


@dataclass(frozen=True, slots=True)
class Outlook:
    """The expected wait of a team.

    length: the number of pictures to process: the team's own pictures and the pictures before them.
    seconds: the estimated time for these pictures.
    """

    length: int
    seconds: float

    @property
    def retry_after_s(self) -> int:
        """Return after how many seconds a rejected caller should retry: half of the expected wait, from 1 to 600."""
        return max(1, min(_LONGEST_RETRY_S, math.ceil(self.seconds / 2)))


def admission_check(*, team: Team, urgency: str, pictures: int) -> None:
    """Raise TooManyTasks or QueueFull if the queue limits do not allow `pictures` more pictures of the team.

    TooManyTasks means that the team's limit is exceeded. QueueFull means that the site's limit is exceeded, or that an
    interactive request would wait too long.
    urgency: the Job.Urgency of the new pictures.
    """
    waiting = _waiting_by_team()
    own = sum(waiting[team.pk].values())
    total = sum(sum(counts.values()) for counts in waiting.values())
    if own + pictures > settings.MATTING_QUEUE_PICTURES_PER_TEAM:
        retry_after_s = outlook(team=team, urgency=urgency, waiting=waiting).retry_after_s
        raise TooManyTasks(
            f"The team may have {settings.MATTING_QUEUE_PICTURES_PER_TEAM} pictures in the queue.",
            retry_after_s=retry_after_s,
        )
    if total + pictures > settings.MATTING_QUEUE_PICTURES:
        raise QueueFull(retry_after_s=outlook(team=team, urgency=urgency, waiting=waiting).retry_after_s)
    if urgency == Job.Urgency.INTERACTIVE:
        expected = outlook(team=team, urgency=urgency, pictures=pictures, waiting=waiting)
        if expected.length > pictures and expected.seconds > settings.MATTING_QUEUE_WAIT_S:
            message = f"{expected.length - pictures} pictures are ahead, about {math.ceil(expected.seconds)} seconds."
            raise QueueFull(f"The queue is too long to wait: {message}", retry_after_s=expected.retry_after_s)


def outlook(
    *, team: Team, urgency: str, pictures: int = 0, waiting: dict[object, dict[str, int]] | None = None
) -> Outlook:
    """Return the queue length and the expected time for a team that adds `pictures` pictures of this urgency.

    Pictures with a higher urgency are processed first. Pictures with the same urgency are processed in turn, one team
    after the other. Another team therefore delays this team by at most as many pictures as this team has in the queue,
    plus MATTING_TEAM_WINDOW.
    waiting: the number of queued pictures by team id and urgency; None means that it is read from the database.
    """
    waiting = _waiting_by_team() if waiting is None else waiting
    more_urgent = queue.PICTURE_QUEUES[: queue.PICTURE_QUEUES.index(urgency)]
    own = waiting[team.pk].get(urgency, 0) + pictures
    in_turn = own + settings.MATTING_TEAM_WINDOW
    length = own
    for team_id, counts in waiting.items():
        length += sum(counts.get(name, 0) for name in more_urgent)
        if team_id != team.pk:
            length += min(counts.get(urgency, 0), in_turn)
    running = JobImage.objects.filter(status=Status.RUNNING).count()
    measured = _measured()
    return Outlook(length, (length + running / 2) * measured.seconds_per_image / measured.workers)


def seconds_per_image() -> float:
    """Return the mean processing time of the latest MEASURED_IMAGES pictures, in seconds per picture.

    Return FIRST_GUESS_S if no picture has been measured.
    """
    recent = JobImage.objects.filter(status=Status.SUCCEEDED).order_by("-enqueued_at")
    timings = recent.values_list("timings_ms", flat=True)[:MEASURED_IMAGES]
    totals_ms = [timing["total"] for timing in timings if timing.get("total")]
    return fmean(totals_ms) / 1000 if totals_ms else FIRST_GUESS_S


@dataclass(frozen=True, slots=True)
class _Measurement:
    seconds_per_image: float
    workers: int
    until: float


_last: _Measurement | None = None


def _measured() -> _Measurement:
    """Return the processing speed of the site. It is measured at most once in five seconds."""
    global _last
    now = time.monotonic()
    if _last is None or now >= _last.until:
        _last = _Measurement(seconds_per_image(), max(1, _model_workers()), now + _MEASUREMENT_KEPT_S)
    return _last


def _model_workers() -> int:
    try:
        return sum(worker.get("role") == "pictures" and not worker.get("error") for worker in queue.live_workers())
    except (RedisError, OSError):
        return 1


def _waiting_by_team() -> dict[object, dict[str, int]]:
    """Return the number of queued pictures by team id and urgency."""
    counts: dict[object, dict[str, int]] = defaultdict(dict)
    rows = JobImage.objects.filter(status=Status.QUEUED).order_by().values_list("job__team_id", "job__urgency")
    for team_id, urgency, count in rows.annotate(Count("pk")):
        counts[team_id][urgency] = count
    return counts
