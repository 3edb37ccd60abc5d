"""The sending side of the queue: RQ messages that contain ids, and announcements that wake waiting requests.

A lost or duplicate message does no harm. The database stores the state. The regular recovery in `jobs.work.leases`
sends lost messages again. The claim in the database decides which worker may process a picture.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import django_rq
from redis import Redis
from redis.exceptions import RedisError
from rq.executions import ExecutionRegistry
from rq.queue import Queue

from jobs.errors import QueueUnavailable
from jobs.work.registry import Task, run_task

PICTURE_QUEUES = ("interactive", "default", "batch")  # the names of the urgencies
DOWNLOAD_QUEUES = tuple(f"{urgency}-downloads" for urgency in PICTURE_QUEUES)
DELIVERY_QUEUES = ("webhooks", "slow-webhooks")
MAIL_QUEUES = ("mail",)
LIGHT_QUEUES = (*DELIVERY_QUEUES, *MAIL_QUEUES, "upkeep")
# The queues whose messages the processes of each role take, the most urgent queue first.
QUEUES_OF_ROLE = {
    "pictures": PICTURE_QUEUES,
    "downloads": DOWNLOAD_QUEUES,
    **{name: (name,) for name in LIGHT_QUEUES},
}
QUEUES = (*PICTURE_QUEUES, *DOWNLOAD_QUEUES, *LIGHT_QUEUES)
IMAGE_PROCESS = Task("image_process")
IMAGE_DOWNLOAD = Task("image_download")
BEAT_TTL_S = 15
_BEAT_PREFIX = "keyline:worker:"
# Prefix of announcement channels; the topic follows: `job:ID` or `draft:ID`.
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
    """Raise QueueUnavailable if Redis cannot be reached. Services call this function before they write anything."""
    if not is_reachable():
        raise QueueUnavailable


# Messages -------------------------------------------------------------------------------------------------------------


def enqueue_task(task: Task, *args: Any, queue_name: str, row_id: UUID | str | None = None, **values: Any) -> None:
    """Send a message that makes a worker run `task` with the arguments `args` and `values`.

    queue_name: one of QUEUES.
    row_id: the id of the row that the message is about; `waiting_ids` returns it while the message waits. None means
    that the message has no row.
    """
    queue = django_rq.get_queue(queue_name, commit_mode="auto")
    # The message's id contains the queue's name. RQ deletes a message by its id after its run; at this time a message
    # for the next stage of the same row may already exist.
    message_id = None if row_id is None else f"{queue_name}-{row_id}"
    if message_id is not None:
        _forget_executions(queue, message_id)
    queue.enqueue_call(run_task, args=(task.name, *args), kwargs=values, timeout=task.timeout_s, job_id=message_id)


def _forget_executions(queue: Queue, message_id: str) -> None:
    """Delete the records that a killed worker left in RQ for this message id.

    With these records, RQ would fail after the next run of the message.
    """
    registry = ExecutionRegistry(message_id, connection=queue.connection)
    stale = registry.get_execution_ids()
    if stale:
        queue.connection.zrem(queue.started_job_registry.key, *(f"{message_id}:{stale_id}" for stale_id in stale))
        queue.connection.delete(registry.key)


def enqueue_images(image_ids: Iterable[UUID], *, urgency: str) -> None:
    """Send the ids of pictures to the model workers.

    urgency: the Job.Urgency that selects the queue.
    """
    for image_id in image_ids:
        enqueue_task(IMAGE_PROCESS, str(image_id), queue_name=urgency, row_id=image_id)


def enqueue_downloads(image_ids: Iterable[UUID], *, urgency: str) -> None:
    """Send the ids of pictures to the download workers. These workers later queue the pictures for a model.

    urgency: the Job.Urgency that selects the queue.
    """
    for image_id in image_ids:
        enqueue_task(IMAGE_DOWNLOAD, str(image_id), queue_name=f"{urgency}-downloads", row_id=image_id)


def waiting_ids(queue_names: Iterable[str]) -> set[str]:
    """Return the row ids of the messages that wait in these queues."""
    return {
        message.removeprefix(f"{name}-")
        for name in queue_names
        for message in django_rq.get_queue(name).job_ids
        if message.startswith(f"{name}-")
    }


def waiting_image_ids() -> set[str]:
    """Return the ids of the pictures with a message that waits for a download worker or a model worker."""
    return waiting_ids((*PICTURE_QUEUES, *DOWNLOAD_QUEUES))


def depths() -> dict[str, int]:
    """Return the number of waiting messages by queue name."""
    return {name: django_rq.get_queue(name).count for name in QUEUES}


def ask(task: Task, *args: Any, queue_name: str, timeout_s: int) -> Any:
    """Send a task, wait for its reply (see `reply`), and return the value of the reply.

    Return None if no reply arrives within `timeout_s` seconds. Raise QueueUnavailable if Redis cannot be reached.
    """
    reply_to = f"{_REPLY_PREFIX}{uuid4().hex}"
    deadline = time.monotonic() + timeout_s
    answer = None
    try:
        enqueue_task(task, *args, queue_name=queue_name, reply_to=reply_to)
        while answer is None and time.monotonic() < deadline:
            # Use short waits, because the connection times out after a longer silence.
            answer = connection().blpop([reply_to], timeout=1)
    except (RedisError, OSError) as error:
        raise QueueUnavailable from error
    return None if answer is None else json.loads(answer[1])


def reply(reply_to: str, answer: Any) -> None:
    """Send a task's reply to the process that called `ask`. Redis keeps the reply for one minute.

    reply_to: the address of the reply, which `ask` has passed to the task.
    answer: a value of JSON types.
    """
    redis = connection()
    redis.rpush(reply_to, json.dumps(answer))
    redis.expire(reply_to, 60)


# Waking waiting requests ----------------------------------------------------------------------------------------------


def topic_of_job(job_id: object) -> str:
    """Return the name of the topic that announces the end or the deletion of a job."""
    return f"job:{job_id}"


def announce_done(job_id: UUID) -> None:
    """Wake the requests that wait for this job. Call this function after the commit.

    If Redis cannot be reached, nothing is sent. The waiting requests find the end of the job in the database later.
    """
    with suppress(RedisError, OSError):
        announce(topic_of_job(job_id))


def announce(topic: str) -> None:
    """Wake the requests that wait for `topic`, the name of an event. Raise RedisError or OSError without Redis."""
    connection().publish(f"{ANNOUNCED_PREFIX}{topic}", "done")


@contextmanager
def completion_of(job_id: UUID) -> Iterator[Callable[[float], bool]]:
    """Return a context manager that subscribes to the end of a job. Its value is a function that waits for the end.

    The function waits at most the given number of seconds, and returns whether the end was announced. Inside the `with`
    block, read the database first and then call the function, so that no announcement is missed. If Redis cannot be
    reached, the function waits the full time, and the caller finds the end in the database.
    """
    subscription = connection().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]

    def subscribe() -> None:
        subscription.subscribe(f"{ANNOUNCED_PREFIX}{topic_of_job(job_id)}")
        subscription.get_message(timeout=1)  # the confirmation of the subscription

    def wait(timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        try:
            if not subscription.subscribed:
                subscribe()
            return subscription.get_message(timeout=max(0.0, timeout_s)) is not None
        except (RedisError, OSError):
            time.sleep(max(0.0, until - time.monotonic()))
            return False

    try:
        with suppress(RedisError, OSError):
            subscribe()
        yield wait
    finally:
        with suppress(RedisError, OSError):
            subscription.close()


# Heartbeats -----------------------------------------------------------------------------------------------------------


def beat(worker: str, state: dict[str, Any]) -> None:
    """Store the heartbeat `state` of the worker with this name. The heartbeat expires after BEAT_TTL_S seconds."""
    connection().set(_BEAT_PREFIX + worker, json.dumps(state), ex=BEAT_TTL_S)


def forget_worker(worker: str) -> None:
    connection().delete(_BEAT_PREFIX + worker)


def live_workers() -> list[dict[str, Any]]:
    """Return the last heartbeat of each live worker. A worker is live if its heartbeat has not expired."""
    redis = connection()
    keys = list(redis.scan_iter(match=_BEAT_PREFIX + "*", count=1000))
    return [json.loads(value) for value in (redis.mget(keys) if keys else []) if value]
