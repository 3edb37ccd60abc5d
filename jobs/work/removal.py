"""Deletion of chosen pictures. If all pictures of a job are chosen, the job is deleted too."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet

from jobs.audit.trail import Author, audit_append
from jobs.models import Action, Artifact, Job, JobImage, Status
from jobs.results import storage
from jobs.results.deletions import files_delete
from jobs.teams.actor import Actor
from jobs.webhooks.outbox import job_callbacks_renew
from jobs.work.retention import job_purge


def images_delete(*, actor: Actor, images: Iterable[JobImage]) -> int:
    """Delete pictures that have ended, with their files. If all pictures of a job are chosen, delete the whole job.

    Single pictures of a running job are kept, because the job's worker would write files without a database row. Return
    the number of deleted pictures.
    """
    chosen: dict[Job, list[JobImage]] = defaultdict(list)
    for image in images:
        chosen[image.job].append(image)
    count = 0
    for job, members in chosen.items():
        if len(members) == job.images_total:
            count += len(members) * job_purge(actor=actor, jobs=[job])
        elif job.is_terminal:
            count += _delete_some(actor, job, members)
    return count


def _delete_some(actor: Actor, job: Job, members: list[JobImage]) -> int:
    """Delete some pictures of an ended job. Also delete the job's zip, because the zip contains these pictures.

    Return the number of deleted pictures.
    """
    with transaction.atomic():
        locked = Job.objects.select_for_update().filter(pk=job.pk).first()
        if locked is None or not locked.is_terminal:
            return 0
        job = locked
        images = job.images.filter(pk__in=[image.pk for image in members])
        counts = Counter(images.values_list("status", flat=True))
        if not counts:
            return 0
        job_purge(actor=actor, jobs=Job.objects.filter(corrects__in=images))
        artifacts = job.artifacts.filter(Q(image__in=images) | Q(kind=Artifact.Kind.ZIP))
        keys = _keys_of(images, artifacts)
        artifacts.delete()
        images.delete()
        files_delete(keys=keys)
        job_callbacks_renew(job=job)
        before = job.images_total
        job.images_total -= counts.total()
        job.images_succeeded -= counts[Status.SUCCEEDED]
        job.images_failed -= counts[Status.FAILED]
        job.save(update_fields=["images_total", "images_succeeded", "images_failed"])
        audit_append(
            action=Action.PICTURES_DELETED,
            author=Author.of(actor),
            target=job,
            before={"pictures": before},
            after={"pictures": job.images_total},
        )
    return counts.total()


def _keys_of(images: QuerySet[JobImage], artifacts: QuerySet[Artifact]) -> list[str]:
    """Return the storage folders of pictures, and the keys of their files outside these folders."""
    pictures = list(images.select_related("job"))
    folders = [storage.folder_of(image.job, image.position) for image in pictures]
    lost = [key for image in pictures for key in storage.published_keys(image)]
    return [*folders, *lost, *artifacts.values_list("key", flat=True)]
