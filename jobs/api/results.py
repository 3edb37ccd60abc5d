"""The one picture of a job that a caller waits for, and its files."""

from __future__ import annotations

from contextlib import suppress

from jobs.errors import JobCanceled, JobNotCancelable, JobNotFound, NotFound, WaitTimeout, error_of
from jobs.models import Artifact, Job, JobImage, Status
from jobs.results.selectors import artifact_of
from jobs.teams.actor import Actor
from jobs.work.cancel import job_cancel
from jobs.work.selectors import images_of


def picture_of(*, actor: Actor, job: Job) -> JobImage:
    """Return the only picture of a job that was waited for; raise the picture's error, JobCanceled or JobNotFound.

    Raises WaitTimeout for a job that has not ended, after `job_abandon`.
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
    """Cancel, without a charge, a job that no worker has begun and whose caller has left or waits no longer.

    One with an Idempotency-Key is kept, as the repeated request finds it.
    """
    if not job.idempotency_key and not Job.objects.filter(pk=job.pk, repeats__gt=0).exists():
        with suppress(JobNotCancelable, JobNotFound, Job.DoesNotExist):
            job_cancel(actor=actor, job=job, only_queued=True)


def file_of(image: JobImage, *kinds: str) -> Artifact:
    """Return a picture's newest file of the first of `kinds` that it has; raise NotFound when all are deleted."""
    for kind in kinds:
        artifact = artifact_of(image, kind)
        if artifact is not None:
            return artifact
    raise NotFound("The result has been deleted.")


def missing_notes(image: JobImage) -> dict[str, list[str]]:
    """Return `notes` for an answer when nothing was found in a picture, else nothing: an empty picture says why."""
    return {} if image.foreground else {"notes": list(image.notes)}
