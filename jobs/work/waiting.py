"""A function that waits for the end of a job in the calling thread. `jobs.work.wakeups` waits without a thread."""

from __future__ import annotations

import time
from uuid import UUID

from jobs.models import Job
from jobs.work import queue
from jobs.work.selectors import job_now

# An announcement can be lost when Redis restarts; therefore the database is also read at this interval.
_LOOK_EVERY_S = 2.0


def wait_for_job(job_id: UUID, *, timeout_s: float) -> Job:
    """Wait until the job has ended, for at most `timeout_s` seconds, and return the job.

    If the time limit has passed, the returned job may still be running. Raise JobNotFound if the job is deleted. If
    Redis cannot be reached, the database is read regularly.
    """
    deadline = time.monotonic() + timeout_s
    with queue.completion_of(job_id) as announced:
        while True:
            job = job_now(job_id)
            left = deadline - time.monotonic()
            if job.is_terminal or left <= 0:
                return job
            announced(min(left, _LOOK_EVERY_S))
