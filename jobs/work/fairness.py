"""Fair sharing of the queues: each team has only a few messages in each queue, and its other pictures are held.

A held picture waits outside the queue. Queues are first in, first out. When a team's picture is claimed, the team's
next held picture is queued. The teams therefore take turns within each urgency, even if one team submits thousands of
pictures. MATTING_TEAM_WINDOW is the largest number of messages that a team has in a queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from jobs.models import Artifact, Job, JobImage


def window_room(team_id: UUID, urgency: str, *, is_remote: bool) -> int:
    """Return how many more messages of a team fit into one queue; 0 or negative if no message fits.

    urgency: the Job.Urgency of the queue.
    is_remote: True for the download queue, False for the model queue.
    """
    queued = JobImage.claimable().filter(is_held=False, job__team_id=team_id, job__urgency=urgency)
    room: int = settings.MATTING_TEAM_WINDOW - in_stage(queued, is_remote=is_remote).count()
    return room


def in_stage(images: QuerySet[JobImage], *, is_remote: bool) -> QuerySet[JobImage]:
    """Return those pictures of a queryset that are in the download stage or in the model stage.

    is_remote: True for the pictures that wait for a download, False for all other pictures.
    """
    source = Artifact.objects.filter(image=OuterRef("pk"), kind=Artifact.Kind.SOURCE)
    remote = ~Q(source_url="") & ~Exists(source)
    return images.filter(remote if is_remote else ~remote)


def hold_beyond_window(job: Job, images: Sequence[JobImage]) -> list[JobImage]:
    """Mark the new pictures that exceed the team's MATTING_TEAM_WINDOW as held: they wait outside the queue.

    Return the other pictures; the caller must queue them.
    """
    sent = []
    for is_remote in (False, True):
        members = [image for image in images if bool(image.source_url) is is_remote]
        room = max(0, window_room(job.team_id, job.urgency, is_remote=is_remote)) if members else 0
        for image in members[room:]:
            image.is_held = True
        sent += members[:room]
    return sent
