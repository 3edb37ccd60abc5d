"""Functions that request the zip of a job's results."""

from __future__ import annotations

from jobs.commit import after_commit
from jobs.models import Bundle, Job
from jobs.work import queue
from jobs.work.registry import Task

# A zip of many pictures from a slow storage takes longer than the time limit of one picture.
BUNDLE_MAKE = Task("bundle_make", timeout_s=3600)


def bundle_request(*, job: Job) -> None:
    """Queue the task that makes the job's zip, unless the task is already queued.

    Call this function inside a transaction.
    """
    bundle, is_new = Bundle.objects.get_or_create(job=job)
    if is_new:
        after_commit(bundle_send, bundle)


def bundle_send(bundle: Bundle) -> None:
    queue.enqueue_task(BUNDLE_MAKE, str(bundle.pk), queue_name="upkeep", row_id=bundle.pk)
