"""The receiving side of the queue: it takes messages and runs their tasks in this worker process."""

from __future__ import annotations

import itertools
import logging
import secrets
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import django_rq
from django.db import close_old_connections
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import InvalidJobOperation, NoSuchJobError, StopRequested
from rq.job import Job as Message
from rq.queue import Queue
from rq.registry import StartedJobRegistry

# Each of these modules registers its tasks when it is imported.
from jobs.mail import outbox as _outbox  # noqa: F401
from jobs.quota import alerts as _alerts  # noqa: F401
from jobs.quota.charges import QUOTA_ALERT
from jobs.results import bundling as _bundling  # noqa: F401
from jobs.telemetry.transitions import worker_busy
from jobs.webhooks import delivery as _delivery  # noqa: F401
from jobs.webhooks.outbox import DELIVERY_ATTEMPT
from jobs.work import queue
from jobs.work import tasks as _tasks  # noqa: F401
from jobs.work.faults import fitness
from jobs.work.hangs import HANG_MARGIN_S, hang_guard
from jobs.work.lanes import lanes
from jobs.work.registry import run_task

logger = logging.getLogger(__name__)

# The function names in messages of version 1.0.0, which still sends them while the web machines are upgraded last.
_TASKS_OF_1_0_0 = {
    "jobs.tasks.image_process": queue.IMAGE_PROCESS,
    "jobs.tasks.image_download": queue.IMAGE_DOWNLOAD,
    "jobs.services.webhooks.delivery_attempt": DELIVERY_ATTEMPT,
    "jobs.services.alerts.quota_alert_send": QUOTA_ALERT,
}
_BROKER_PAUSE_S = 0.2


def serve(queue_names: Iterable[str], *, name: str, until_empty: bool = False) -> None:
    """Take messages from queues and run their tasks until SIGTERM or SIGINT.

    Tasks run in this process, without a fork, so the model stays loaded. If an RQ worker loses the connection to the
    broker, it ends, and this function starts another RQ worker in the same process. Before this function returns, it
    waits until the pictures in the threads of `lanes` have ended.
    name: the name of this worker.
    until_empty: if True, also stop when the queues are empty.
    """
    _serve(queue_names, name=name, until_empty=until_empty)
    lanes.drain()


def _serve(queue_names: Iterable[str], *, name: str, until_empty: bool) -> None:
    queues = [django_rq.get_queue(queue_name) for queue_name in queue_names]
    for number in itertools.count():
        worker = None
        try:
            # A new name, because the broker may still know an earlier worker whose end was not recorded. After a
            # restart of a container, even the process id can be the same.
            worker = _Worker(  # it asks the broker for its version
                queues, name=f"{name}-{number}-{secrets.token_hex(3)}", connection=queue.connection(), worker_ttl=30
            )
            worker.log_result_lifespan = False
            worker.work(burst=until_empty, with_scheduler=False, logging_level="WARNING")
            has_lost_broker = not until_empty
        except (RedisError, OSError) as error:
            logger.warning("the broker does not answer: %s", error)
            has_lost_broker = True
        except StopRequested:  # raised by the SIGTERM handler of an earlier worker
            return
        if not has_lost_broker or (worker is not None and worker.is_to_stop):
            return
        try:
            time.sleep(_BROKER_PAUSE_S)
        except (StopRequested, RedisError):  # raised by the SIGTERM handler
            return


class _Worker(SimpleWorker):
    """RQ worker that gives each task a working database connection, and ends the process if a task hangs.

    A broken database connection is closed between tasks, as Django does between requests. Otherwise one restart of the
    database would make all later tasks fail. RQ's own time limit raises an exception, which has no effect in native
    code. Therefore a timer that Python code cannot block ends the process and writes the stack to standard error. The
    supervisor then starts another process and returns the picture to the queue.
    """

    max_connection_wait_time = 1.0  # RQ waits up to one minute for the broker to return
    is_to_stop = False

    def procline(self, message: str) -> None:
        """Do nothing, so that the command line of the process still shows its role. RQ would replace it."""

    def request_stop(self, signum: int, frame: Any) -> None:
        self.is_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def dequeue_job_and_maintain_ttl(self, *args: Any, **values: Any) -> Any:
        """Wait for the pause after this worker's faults and for a free thread in `lanes`, then take a message."""
        until = time.monotonic() + fitness.take_pause_s()
        while (left_s := until - time.monotonic()) > 0:
            time.sleep(min(left_s, 5.0))
            self.heartbeat()
        while not lanes.wait_for_room(5.0):
            self.heartbeat()
        return super().dequeue_job_and_maintain_ttl(*args, **values)

    def handle_job_success(self, job: Message, queue: Queue, started_job_registry: StartedJobRegistry) -> None:
        """Record the end of a message. If another worker got the same message and has deleted it, only log this.

        The regular recovery sends a message again if the first one seems to be lost. The claim in the database lets
        only one of the two workers process the picture.
        """
        try:
            super().handle_job_success(job=job, queue=queue, started_job_registry=started_job_registry)
        except (InvalidJobOperation, NoSuchJobError):
            logger.info("message %s was sent twice, and has been removed by another worker", job.id)

    def perform_job(self, job: Message, queue: Queue) -> bool:
        close_old_connections()
        _rename(job)
        started_s = time.monotonic()
        guard: AbstractContextManager[None] = nullcontext()
        if job.timeout and job.timeout > 0:
            guard = hang_guard.limit(job.timeout + HANG_MARGIN_S)
        try:
            with guard:
                return super().perform_job(job, queue)
        finally:
            close_old_connections()
            worker_busy(queue=queue.name, seconds=time.monotonic() - started_s)


def _rename(message: Message) -> None:
    """Change a message from version 1.0.0, so that it runs the task that has replaced the old function."""
    task = _TASKS_OF_1_0_0.get(message.func_name or "")
    if task is not None:
        message.func_name = f"{run_task.__module__}.{run_task.__qualname__}"
        message.args = (task.name, *message.args)
