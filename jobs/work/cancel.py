"""Services that cancel the pictures of a job."""

from __future__ import annotations

from django.db import transaction

from jobs.audit.trail import Author, audit_append
from jobs.errors import JobNotCancelable, JobNotFound
from jobs.models import Action, Job, Status
from jobs.quota.refunds import usage_refund
from jobs.teams.actor import Actor
from jobs.work.capacity import room_given_back
from jobs.work.ending import job_count


def job_cancel(*, actor: Actor, job: Job, only_queued: bool = False) -> Job:
    """Cancel the pictures of a job that have not ended, refund those that had not started, and return the job.

    Running pictures are cancelled too, but stay charged.
    only_queued: cancel only a job in which no picture has started.
    Raise JobNotCancelable if all pictures have ended, or if `only_queued` is True and a picture has started. Raise
    JobNotFound if the job has been deleted.
    """
    with transaction.atomic():
        with room_given_back(job):
            locked = Job.objects.select_for_update().filter(pk=job.pk).first()
            if locked is None:
                raise JobNotFound
            job = locked
            is_open = job.images.exclude(status__in=Job.TERMINAL).exists()  # if not, only the zip remains to be made
            if not is_open or (only_queued and job.status != Status.QUEUED):
                raise JobNotCancelable
            before = job.status
            images_cancel(job=job)
            job_count(job.pk)
        audit_append(action=Action.JOB_CANCELED, author=Author.of(actor), target=job, before={"status": before})
        job.refresh_from_db()
    return job


def images_cancel(*, job: Job) -> None:
    """Cancel the pictures of a job that have not ended, and refund those that have not started.

    Call this function inside a transaction that holds the lock of the job.
    """
    unstarted = []
    for image in job.images.exclude(status__in=Job.TERMINAL):
        if image.cancel(only_queued=True):
            unstarted.append(image.pk)
        else:
            image.cancel()
    usage_refund(job=job, image_ids=unstarted, reason="canceled")
