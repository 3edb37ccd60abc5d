"""Functions that update a job's counters from its pictures, and end the job after its last picture or its zip."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Q

from jobs.commit import after_commit
from jobs.models import Bundle, Job, Status
from jobs.quota.refunds import usage_refund
from jobs.results.bundles import bundle_request
from jobs.webhooks.outbox import job_announce
from jobs.work import queue
from segmentation.errors import MattingError


def job_lock(job_id: UUID) -> bool:
    """Lock a job's row; return False if the job has been deleted.

    A transaction that changes pictures must take this lock before it locks the rows of pictures. This order prevents
    deadlocks.
    """
    return Job.objects.select_for_update().filter(pk=job_id).first() is not None


def job_count(job_id: UUID) -> None:
    """Update a job's counters. After the last picture, end the job or request its zip.

    Call this function inside a transaction.
    """
    job = Job.objects.select_for_update().get(pk=job_id)
    counts = job.images.aggregate(
        succeeded=Count("id", filter=Q(status=Status.SUCCEEDED)),
        failed=Count("id", filter=Q(status=Status.FAILED)),
        canceled=Count("id", filter=Q(status=Status.CANCELED)),
    )
    job.images_succeeded, job.images_failed = counts["succeeded"], counts["failed"]
    job.save(update_fields=["images_succeeded", "images_failed"])
    if sum(counts.values()) < job.images_total or job.is_terminal:
        return
    if job.bundle_key and job.images_succeeded:
        bundle_request(job=job)
    else:
        job_end(job)


def job_end(job: Job, *, error: MattingError | None = None) -> None:
    """End a job and announce its end. A job that has already ended does not change.

    The job succeeds if at least one picture succeeded. Otherwise the job is cancelled if at least one picture was
    cancelled. Otherwise the job fails with the error of its first failed picture. Call this function inside a
    transaction.
    error: if given, the job fails with this error, and its pictures are refunded.
    """
    if error is not None:
        ended = job.finish(Status.FAILED, code=error.code, message=error.message)
        if ended:
            usage_refund(job=job, image_ids=list(job.images.values_list("pk", flat=True)), reason=error.code)
    elif job.images_succeeded:
        ended = job.finish(Status.SUCCEEDED)
    elif job.images.filter(status=Status.CANCELED).exists():
        ended = job.finish(Status.CANCELED)
    else:
        first = job.images.filter(status=Status.FAILED)[0]
        ended = job.finish(Status.FAILED, code=first.error_code, message=first.error_message)
    if ended:
        Bundle.objects.filter(job=job).delete()
        job_announce(job=job)
        after_commit(queue.announce_done, job.id)
