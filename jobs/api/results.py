"""Stage 9, rendering: the picture of a job that a caller waits for, or the error that it ended with."""

from __future__ import annotations

from contextlib import suppress

from jobs.errors import JobCanceled, JobNotCancelable, JobNotFound, WaitTimeout, error_of
from jobs.models import Job, JobImage, Status
from jobs.teams.actor import Actor
from jobs.work.cancel import job_cancel
from jobs.work.selectors import images_of
from jobs.work.waiting import wait_for_job


def awaited_image(*, actor: Actor, job: Job, timeout_s: float) -> JobImage:
    """Wait for the only picture of a job and give it; raise what went wrong with it, JobCanceled or JobNotFound.

    Raises WaitTimeout when `timeout_s` has run out. A job that no worker has begun by then is cancelled, for its caller
    has no other way to the result; one with an Idempotency-Key stays, for the same request finds it again.
    """
    job = wait_for_job(job.id, timeout_s=timeout_s)
    if not job.is_terminal:
        if not job.idempotency_key:
            with suppress(JobNotCancelable, Job.DoesNotExist):
                job_cancel(actor=actor, job=job, only_queued=True)
        raise WaitTimeout
    image = next(iter(images_of(job)), None)
    if image is None:  # deleted a moment ago
        raise JobNotFound
    match image.status:
        case Status.SUCCEEDED:
            return image
        case Status.CANCELED:
            raise JobCanceled
    raise error_of(image.error_code, image.error_message)
