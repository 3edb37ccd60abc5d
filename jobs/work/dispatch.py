"""Functions that send pictures to the workers of their next stage.

The two stages are the download and the processing by a model.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from jobs.models import Artifact, JobImage
from jobs.work import queue


def images_send(image_ids: Collection[UUID], *, urgency: str) -> None:
    """Queue stored pictures for a model worker, and pictures given by URL for a download worker.

    urgency: the Job.Urgency that selects the queue.
    """
    given_by_url = JobImage.objects.filter(pk__in=image_ids).exclude(source_url="")
    remote = set(given_by_url.exclude(artifacts__kind=Artifact.Kind.SOURCE).values_list("pk", flat=True))
    queue.enqueue_downloads([image_id for image_id in image_ids if image_id in remote], urgency=urgency)
    queue.enqueue_images([image_id for image_id in image_ids if image_id not in remote], urgency=urgency)
