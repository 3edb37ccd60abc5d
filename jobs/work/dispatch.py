"""Stage 4, queue: send each picture to the workers of its next stage."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from jobs.models import Artifact, JobImage
from jobs.work import queue


def images_send(image_ids: Collection[UUID], *, urgency: str) -> None:
    """Queue the pictures that are at hand for a model, and those behind an address for the workers that fetch.

    A server that takes its time thus keeps no model waiting.
    """
    given_by_address = JobImage.objects.filter(pk__in=image_ids).exclude(source_url="")
    remote = set(given_by_address.exclude(artifacts__kind=Artifact.Kind.SOURCE).values_list("pk", flat=True))
    queue.enqueue_downloads([image_id for image_id in image_ids if image_id in remote], urgency=urgency)
    queue.enqueue_images([image_id for image_id in image_ids if image_id not in remote], urgency=urgency)
