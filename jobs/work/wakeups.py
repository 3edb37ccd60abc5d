"""Wake the HTTP requests that wait for the end of a job.

Each web process has one Redis subscription. All waiting requests of the process share it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, defaultdict
from contextlib import suppress

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections
from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobs.work import queue
from jobs.work.selectors import ended_or_deleted

logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 2.0
_RECONNECT_AFTER_S = 1.0
# Announcements are remembered, because one can arrive between the submission of a job and the wait for it.
_REMEMBERED = 10_000
_REMEMBERED_S = 5.0
_JOB = queue.topic_of_job("")


class JobWakeups:
    """The HTTP requests of this process that wait for topics.

    A topic is the name of an event: `job:ID` for the end or the deletion of a job.
    One Redis subscription receives all announcements. In addition, one query checks all topics every two seconds, so a
    lost announcement delays a response by about two seconds.
    """

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._recent: OrderedDict[str, float] = OrderedDict()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Subscribe to the announcements, and start the regular check of the database."""
        self._tasks = [asyncio.create_task(self._subscribe()), asyncio.create_task(self._look())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait(self, topic: str, timeout_s: float | None) -> None:
        """Wait until the topic is announced, for at most `timeout_s` seconds.

        If the topic was announced in the last five seconds, return immediately.
        timeout_s: the time limit; None means that there is no time limit.
        """
        if self._has_just_happened(topic):
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting[topic].add(future)
        try:
            async with asyncio.timeout(timeout_s):
                await future
        except TimeoutError:
            return
        finally:
            self._waiting[topic].discard(future)
            if not self._waiting[topic]:
                del self._waiting[topic]

    def _happened(self, topic: str) -> None:
        self._recent[topic] = time.monotonic()
        self._recent.move_to_end(topic)
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        for future in self._waiting.get(topic, ()):
            if not future.done():
                future.set_result(None)

    def _has_just_happened(self, topic: str) -> bool:
        return time.monotonic() - self._recent.get(topic, -_REMEMBERED_S) < _REMEMBERED_S

    async def _subscribe(self) -> None:
        while True:
            with suppress(RedisError, OSError):
                async with Redis.from_url(settings.REDIS_URL) as redis, redis.pubsub() as subscription:
                    await subscription.psubscribe(f"{queue.ANNOUNCED_PREFIX}*")
                    async for message in subscription.listen():
                        if message["type"] == "pmessage":
                            self._happened(message["channel"].decode().removeprefix(queue.ANNOUNCED_PREFIX))
            await asyncio.sleep(_RECONNECT_AFTER_S)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if not self._waiting:
                continue
            try:
                found = await sync_to_async(_happened_among, thread_sensitive=False)(list(self._waiting))
            except Exception:
                logger.exception("what requests wait for could not be looked up this time")
                continue
            for topic in found:
                self._happened(topic)


def _happened_among(topics: list[str]) -> list[str]:
    """Return the topics whose jobs have ended or have been deleted, according to the database."""
    close_old_connections()
    try:
        ids = [topic.removeprefix(_JOB) for topic in topics if topic.startswith(_JOB)]
        return [queue.topic_of_job(job_id) for job_id in ended_or_deleted(ids)]
    finally:
        close_old_connections()
