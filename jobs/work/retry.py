"""A service that processes the failed pictures of a job again."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.commit import after_commit
from jobs.errors import JobNotFound
from jobs.models import Action, Artifact, Job, JobImage, Status
from jobs.quota.charges import usage_charge
from jobs.quota.limits import quota_of
from jobs.teams.actor import Actor
from jobs.work import queue
from jobs.work.capacity import held_release
from jobs.work.ending import job_lock


def job_retry(*, actor: Actor, job: Job, images: Sequence[JobImage] | None = None) -> int:
    """Queue a job's failed pictures again and charge them; return the number of pictures.

    A picture without a stored source, URL or path is not retried.
    images: the pictures to retry; None means all failed pictures.
    Raise JobNotFound if the job has been deleted, QueueUnavailable if Redis cannot be reached, and the errors of
    `usage_charge`.
    """
    queue.require_available()
    with transaction.atomic():
        if not job_lock(job.pk):
            raise JobNotFound
        has_source = Q(artifacts__kind=Artifact.Kind.SOURCE) | ~Q(source_url="") | ~Q(source_path="")
        rows = job.images.filter(has_source, status=Status.FAILED)
        if images is not None:
            rows = rows.filter(pk__in=[image.pk for image in images])
        failed = list(rows.distinct())
        if not failed:
            return 0
        usage_charge(job=job, images=failed, quota=quota_of(job.team), reason="retried")
        ids = [image.pk for image in failed]
        JobImage.objects.filter(pk__in=ids).update(
            status=Status.QUEUED,
            error_code="",
            error_message="",
            finished_at=None,
            enqueued_at=timezone.now(),
            next_try_at=None,
            attempts_before=F("attempt"),
            timings_ms={},
            faults=0,
            is_held=True,
            dropped_at=None,
            charged_on=failed[0].charged_on,
            charged_units=failed[0].charged_units,
        )
        Job.objects.filter(pk=job.pk).update(
            status=Status.QUEUED,
            finished_at=None,
            error_code="",
            error_message="",
            images_failed=job.images.filter(status=Status.FAILED).count(),
        )
        after_commit(held_release, job.team)
        audit_append(action=Action.JOB_RETRIED, author=Author.of(actor), target=job, after={"pictures": len(ids)})
    return len(failed)
