"""Waiting for the end of a job in the calling thread. `jobs.work.wakeups` waits without a thread."""

from __future__ import annotations

import time
from uuid import UUID

from jobs.models import Job
from jobs.work import queue
from jobs.work.selectors import job_now

# An announcement can be lost when Redis restarts; therefore the database is also read at this interval.
_LOOK_EVERY_S = 2.0


def wait_for_job(job_id: UUID, *, timeout_s: float) -> Job:
    """Return the job when it has ended, or in its current state after `timeout_s` seconds.

    Raise JobNotFound if it is deleted. Without Redis, the database is polled.
    """
    deadline = time.monotonic() + timeout_s
    with queue.completion_of(job_id) as announced:
        while True:
            job = job_now(job_id)
            left = deadline - time.monotonic()
            if job.is_terminal or left <= 0:
                return job
            announced(min(left, _LOOK_EVERY_S))
