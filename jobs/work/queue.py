"""Stage 4, queue: the only file that knows RQ. Redis carries ids and wakes whoever waits; it is never the truth."""

from __future__ import annotations

import faulthandler
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import django_rq
from django.db import close_old_connections
from redis import Redis
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.job import Job as Message
from rq.queue import Queue

from jobs.errors import QueueUnavailable

PICTURE_QUEUES = ("interactive", "default", "batch")  # named as the urgencies are
DOWNLOAD_QUEUES = tuple(f"{urgency}-downloads" for urgency in PICTURE_QUEUES)
LIGHT_QUEUES = ("webhooks", "slow-webhooks", "upkeep")
# What the children of each role serve, the more urgent first.
QUEUES_OF_ROLE = {
    "pictures": PICTURE_QUEUES,
    "downloads": DOWNLOAD_QUEUES,
    **{name: (name,) for name in LIGHT_QUEUES},
}
QUEUES = (*PICTURE_QUEUES, *DOWNLOAD_QUEUES, *LIGHT_QUEUES)
BEAT_TTL_S = 15
# How long after its time limit a task may still be at work, such as at the writing of its failure.
HANG_MARGIN_S = 30
_IMAGE_PREFIX = "image-"
_DOWNLOAD_PREFIX = "download-"
_BEAT_PREFIX = "keyline:worker:"
# Channels of announcements: this and a topic, `job:ID` or `reply:ID`.
ANNOUNCED_PREFIX = "keyline:announced:"
_REPLY_PREFIX = "keyline:reply:"


def connection() -> Redis:
    return django_rq.get_connection("default")


def is_reachable() -> bool:
    try:
        return bool(connection().ping())
    except (RedisError, OSError):
        return False


def require_available() -> None:
    """Raise QueueUnavailable before anything is written for a request that could not be queued."""
    if not is_reachable():
        raise QueueUnavailable


def enqueue_images(image_ids: Iterable[UUID], *, urgency: str) -> None:
    """Send picture ids to the workers that cut out. A lost message does no harm: the sweeper sends it again."""
    _enqueue_each("jobs.work.tasks.image_process", image_ids, queue_name=urgency, prefix=_IMAGE_PREFIX)


def enqueue_downloads(image_ids: Iterable[UUID], *, urgency: str) -> None:
    """Send picture ids to the workers that fetch them first; those send them on."""
    queue_name = f"{urgency}-downloads"
    _enqueue_each("jobs.work.tasks.image_download", image_ids, queue_name=queue_name, prefix=_DOWNLOAD_PREFIX)


def _enqueue_each(function: str, image_ids: Iterable[UUID], *, queue_name: str, prefix: str) -> None:
    # A prefix for each stage: RQ forgets a message by its id when it is done, and the next stage's is there by then.
    queue = django_rq.get_queue(queue_name, commit_mode="auto")
    for image_id in image_ids:
        queue.enqueue_call(function, args=(str(image_id),), job_id=f"{prefix}{image_id}")


def enqueue_task(function: str, *args: Any, queue_name: str, timeout_s: int | None = None, **values: Any) -> None:
    """Send any other task, named by its import path; it may take `timeout_s`, or as long as a picture may."""
    queue = django_rq.get_queue(queue_name, commit_mode="auto")
    queue.enqueue_call(function, args=args, kwargs=values, timeout=timeout_s)


def ask(function: str, *args: Any, queue_name: str, timeout_s: int) -> Any:
    """Send a task and wait for what it hands to `reply`; None when no worker has answered within `timeout_s`."""
    reply_to = f"{_REPLY_PREFIX}{uuid4().hex}"
    deadline = time.monotonic() + timeout_s
    answer = None
    try:
        enqueue_task(function, *args, queue_name=queue_name, reply_to=reply_to)
        while answer is None and time.monotonic() < deadline:
            # In short waits: the connection itself gives up on a longer silence.
            answer = connection().blpop([reply_to], timeout=1)
    except (RedisError, OSError) as error:
        raise QueueUnavailable from error
    return None if answer is None else json.loads(answer[1])


def reply(reply_to: str, answer: Any) -> None:
    """Hand a task's answer, in JSON types, to whoever asked; it waits there for a minute."""
    redis = connection()
    redis.rpush(reply_to, json.dumps(answer))
    redis.expire(reply_to, 60)


def waiting_image_ids() -> set[str]:
    """List the pictures whose message still lies in a queue, to be fetched or to be cut out."""
    return {
        message.removeprefix(prefix)
        for names, prefix in ((PICTURE_QUEUES, _IMAGE_PREFIX), (DOWNLOAD_QUEUES, _DOWNLOAD_PREFIX))
        for name in names
        for message in django_rq.get_queue(name).job_ids
        if message.startswith(prefix)
    }


def depths() -> dict[str, int]:
    """Count the messages that wait in each queue."""
    return {name: django_rq.get_queue(name).count for name in QUEUES}


# Announcements --------------------------------------------------------------------------------------------------------


def topic_of_job(job_id: object) -> str:
    """Name the topic on which a job's end or deletion is announced."""
    return f"job:{job_id}"


def announce_done(job_id: UUID) -> None:
    """Wake every request that waits for this job. Called after the commit; Redis being away only costs seconds."""
    try:
        connection().publish(f"{ANNOUNCED_PREFIX}{topic_of_job(job_id)}", "done")
    except (RedisError, OSError):
        return


@contextmanager
def completion_of(job_id: UUID) -> Iterator[Callable[[float], bool]]:
    """Subscribe to a job's end; the value is called with a timeout in seconds and returns whether it was announced.

    Subscribe first, look at the database next, wait last: then no announcement is missed.
    """
    subscription = connection().pubsub(ignore_subscribe_messages=True)
    try:
        subscription.subscribe(f"{ANNOUNCED_PREFIX}{topic_of_job(job_id)}")
        subscription.get_message(timeout=1)  # the confirmation: from here on nothing is missed
        yield lambda timeout_s: subscription.get_message(timeout=max(0.0, timeout_s)) is not None
    except (RedisError, OSError) as error:
        raise QueueUnavailable from error
    finally:
        subscription.close()


# Workers --------------------------------------------------------------------------------------------------------------


def beat(worker: str, state: dict[str, Any]) -> None:
    """Say that a worker lives and what it has loaded; forgotten after BEAT_TTL_S."""
    connection().set(_BEAT_PREFIX + worker, json.dumps(state), ex=BEAT_TTL_S)


def forget_worker(worker: str) -> None:
    connection().delete(_BEAT_PREFIX + worker)


def live_workers() -> list[dict[str, Any]]:
    """List the workers whose heartbeat is younger than BEAT_TTL_S."""
    redis = connection()
    keys = list(redis.scan_iter(match=_BEAT_PREFIX + "*", count=1000))
    return [json.loads(value) for value in (redis.mget(keys) if keys else []) if value]


def serve(queue_names: Iterable[str], *, name: str, until_empty: bool = False) -> None:
    """Take messages until SIGTERM or SIGINT, in this process: the model stays warm and no fork breaks it."""
    queues = [django_rq.get_queue(queue_name) for queue_name in queue_names]
    worker = _Worker(queues, name=name, connection=connection(), worker_ttl=30)
    worker.log_result_lifespan = False
    worker.work(burst=until_empty, with_scheduler=False, logging_level="WARNING")


class _Worker(SimpleWorker):
    """Give every task a sound database connection, and end with a task that never returns.

    A connection that broke is not used again, as Django sees to it for requests: without that one restart of the
    database would fail every task from then on, and with it every message taken. RQ's own time limit is an exception,
    which native code that hangs never raises; then this process ends, by a thread that needs no Python, and says on
    standard error where it hung. The parent starts another and returns the picture to the queue.
    """

    def perform_job(self, job: Message, queue: Queue) -> bool:
        close_old_connections()
        if job.timeout and job.timeout > 0:
            faulthandler.dump_traceback_later(job.timeout + HANG_MARGIN_S, exit=True)
        try:
            return super().perform_job(job, queue)
        finally:
            faulthandler.cancel_dump_traceback_later()
            close_old_connections()
