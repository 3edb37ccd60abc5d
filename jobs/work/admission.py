"""Admission control: refuse at once what would wait too long, and tell callers how long the queue is.

Pictures that wait are bounded for each team and for the site. A request that waits for its picture is refused when the
expected time is longer than `MATTING_QUEUE_WAIT_S`: it would occupy the queue and its caller would be gone.
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
FIRST_GUESS_S = 1.0  # before the first picture has been measured
_MEASUREMENT_KEPT_S = 5.0
_LONGEST_RETRY_S = 600


@dataclass(frozen=True, slots=True)
class Outlook:
    """How many pictures are served before the end of a team's next ones, and the expected seconds until that end."""

    length: int
    seconds: float

    @property
    def retry_after_s(self) -> int:
        """Return when a refused caller should come back: after about half of the queue."""
        return max(1, min(_LONGEST_RETRY_S, math.ceil(self.seconds / 2)))


def admission_check(*, team: Team, urgency: str, pictures: int) -> None:
    """Raise TooManyTasks or QueueFull unless the team may add `pictures` to the queue."""
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
    """Return the length of the queue and the expected time for a team, with `pictures` more of its own.

    More urgent pictures of all teams come first. Within the urgency teams take turns, so that of each other team at
    most as many pictures are served before as the team has itself.
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
    """Return the mean time that a worker spent on each of the last pictures, in seconds."""
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
    """Return the speed of the site, measured at most every five seconds."""
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
    """Return the number of queued pictures of each team and urgency."""
    counts: dict[object, dict[str, int]] = defaultdict(dict)
    rows = JobImage.objects.filter(status=Status.QUEUED).order_by().values_list("job__team_id", "job__urgency")
    for team_id, urgency, count in rows.annotate(Count("pk")):
        counts[team_id][urgency] = count
    return counts
