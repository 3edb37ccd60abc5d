"""Waiting for a job inside a request: what views return to answer when the job has ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.http import HttpResponseBase

from jobs.errors import JobCanceled, JobNotCancelable, JobNotFound, WaitTimeout, error_of
from jobs.models import Job, JobImage, Status
from jobs.teams.actor import Actor
from jobs.work.cancel import job_cancel
from jobs.work.selectors import images_of
from jobs.work.waiting import wait_for_job


class WaitingView:
    """Add waiting to an API view. Mixed in before APIView."""

    def when_ended(
        self: Any, job: Job, *, timeout_s: float, then: Callable[[Job], HttpResponseBase]
    ) -> HttpResponseBase:
        """Answer with `then`, called with the job as it is at its end or after `timeout_s`."""
        return then(wait_for_job(job.id, timeout_s=timeout_s) if timeout_s else job)

    def when_picture(
        self: Any, job: Job, *, timeout_s: float, then: Callable[[JobImage], HttpResponseBase]
    ) -> HttpResponseBase:
        """Answer with `then`, called with the only picture of a job; raises what `picture_of` raises."""
        return then(picture_of(actor=self.actor, job=wait_for_job(job.id, timeout_s=timeout_s)))


def picture_of(*, actor: Actor, job: Job) -> JobImage:
    """Return the only picture of a job that was waited for; raise the picture's error, JobCanceled or JobNotFound.

    Raises WaitTimeout for a job that has not ended, which is given up (see `job_abandon`).
    """
    if not job.is_terminal:
        job_abandon(actor=actor, job=job)
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


def job_abandon(*, actor: Actor, job: Job) -> None:
    """Cancel, without a charge, a job that no worker has begun; its caller has no other way to the result.

    A job with an Idempotency-Key is kept, as the repeated request finds it.
    """
    if not job.idempotency_key:
        with suppress(JobNotCancelable, JobNotFound, Job.DoesNotExist):
            job_cancel(actor=actor, job=job, only_queued=True)
