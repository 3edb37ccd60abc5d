"""Stage 8, results: delete chosen pictures, and with the last of its pictures the job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.db.models import F

from jobs import storage
from jobs.actor import Actor
from jobs.commit import after_commit
from jobs.models import Artifact, Job, JobImage
from jobs.services.lifecycle import job_purge


def images_delete(*, actor: Actor, images: Iterable[JobImage]) -> int:
    """Delete finished pictures with their files, whole jobs where all of theirs are chosen; say how many went.

    A picture of a job that still runs stays: its worker would write what nobody waits for.
    """
    chosen: dict[Job, list[JobImage]] = defaultdict(list)
    for image in images:
        chosen[image.job].append(image)
    count = 0
    for job, members in chosen.items():
        if len(members) == job.images_total:
            count += len(members) * job_purge(actor=actor, jobs=[job])
        elif job.is_terminal:
            count += _delete_some(job, members)
    return count


def _delete_some(job: Job, members: list[JobImage]) -> int:
    ids = [image.id for image in members]
    with transaction.atomic():
        artifacts = Artifact.objects.filter(image_id__in=ids)
        keys = list(artifacts.values_list("key", flat=True))
        succeeded = sum(image.status == JobImage.Status.SUCCEEDED for image in members)
        failed = sum(image.status == JobImage.Status.FAILED for image in members)
        JobImage.objects.filter(id__in=ids).delete()
        Job.objects.filter(pk=job.pk).update(
            images_total=F("images_total") - len(ids),
            images_succeeded=F("images_succeeded") - succeeded,
            images_failed=F("images_failed") - failed,
        )
        after_commit(storage.discard, keys)
    return len(ids)
