"""Log lines and counters for state changes of jobs and pictures. They are written after the database commit."""

from __future__ import annotations

import logging
import os
from uuid import UUID

from django.db import transaction

from jobs.telemetry import counters

logger = logging.getLogger("keyline.transition")


def picture_moved(*, picture: UUID, job: UUID, state: str, error_code: str = "") -> None:
    """Record that the state of a picture has changed to `state`.

    error_code: the error code of a failed picture; empty for other states.
    """
    _after_commit("picture", state, {"picture": str(picture), "job": str(job), "error_code": error_code})


def job_moved(*, job: UUID, state: str, error_code: str = "") -> None:
    """Record that the state of a job has changed to `state`.

    error_code: the error code of a failed job; empty for other states.
    """
    _after_commit("job", state, {"job": str(job), "error_code": error_code})


def lease_lost() -> None:
    """Count a lease that expired or whose worker died."""
    counters.count("keyline_lost_leases_total")


def machine_fault(*, component: str) -> None:
    """Count a picture that a worker has returned to the queue because of a fault of the machine or a service.

    component: `database`, `broker`, `storage` or `machine`.
    """
    counters.count("keyline_machine_faults_total", component=component)


def stages_done(timings_ms: dict[str, float]) -> None:
    """Add the duration of each stage of a finished picture to the histograms.

    timings_ms: the durations in milliseconds by stage.
    """
    counters.observe(
        "keyline_stage_seconds", {stage: duration / 1000 for stage, duration in timings_ms.items()}, label="stage"
    )


def worker_busy(*, queue: str, seconds: float) -> None:
    """Add the time in seconds that a worker process spent on one message of the queue `queue`."""
    counters.count("keyline_worker_busy_seconds_total", seconds, queue=queue, host=os.uname().nodename)


def _after_commit(kind: str, state: str, ids: dict[str, str]) -> None:
    def record() -> None:
        fields = {name: value for name, value in ids.items() if value}
        logger.info("%s %s", kind, state, extra={"kind": kind, "state": str(state), **fields})
        counters.count("keyline_transitions_total", kind=kind, state=str(state))

    transaction.on_commit(record, robust=True)
