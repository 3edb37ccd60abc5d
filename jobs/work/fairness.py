"""Share the queues between teams: a team has a few messages in each queue, its other pictures are held.

Queues are first in, first out. A team's next picture is queued when one of its pictures is claimed, so teams take turns
within each urgency, however many pictures one of them has submitted. `MATTING_TEAM_WINDOW` is the number of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from jobs.models import Artifact, Job, JobImage


def window_room(team_id: UUID, urgency: str, *, is_remote: bool) -> int:
    """Return how many more pictures of a team may be in a queue: of downloads with `is_remote`, else of models."""
    queued = JobImage.claimable().filter(is_held=False, job__team_id=team_id, job__urgency=urgency)
    room: int = settings.MATTING_TEAM_WINDOW - in_stage(queued, is_remote=is_remote).count()
    return room


def in_stage(images: QuerySet[JobImage], *, is_remote: bool) -> QuerySet[JobImage]:
    """Return the pictures that are still to be downloaded, or those that are not."""
    source = Artifact.objects.filter(image=OuterRef("pk"), kind=Artifact.Kind.SOURCE)
    remote = ~Q(source_url="") & ~Exists(source)
    return images.filter(remote if is_remote else ~remote)


def hold_beyond_window(job: Job, images: Sequence[JobImage]) -> list[JobImage]:
    """Mark the new pictures that do not fit into the queue as held; return the others, which are to be sent."""
    sent = []
    for is_remote in (False, True):
        members = [image for image in images if bool(image.source_url) is is_remote]
        room = max(0, window_room(job.team_id, job.urgency, is_remote=is_remote)) if members else 0
        for image in members[room:]:
            image.is_held = True
        sent += members[:room]
    return sent
