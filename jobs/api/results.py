"""Stage 9, rendering: the picture of a job that a caller waited for, or the error that it ended with."""

from __future__ import annotations

from jobs import selectors
from jobs.errors import WaitTimeout
from jobs.models import Job, JobImage, Status


def finished_image(job: Job) -> JobImage:
    """Give the only picture of a job that succeeded; raise what went wrong, or WaitTimeout while it still runs."""
    image = selectors.images_of(job)[0]
    if image.status == Status.SUCCEEDED:
        return image
    if not job.is_terminal:
        raise WaitTimeout
    raise selectors.error_of(image.error_code, image.error_message)
