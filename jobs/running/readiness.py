"""Checks of the components that the site needs: database, queue, storage, workers and their weights.

Each check returns None, or one sentence that names the fault. The sentence names hosts only if the caller requests
them, and never names folders. Checks have short time limits, so that a health check gets its response even if a server
hangs.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from jobs.work import queue

logger = logging.getLogger(__name__)

MODEL_ROLE = "pictures"
FAILED_ROLE = "pictures-failed"  # a worker that could not load its model sends its error under this role
LEAST_FREE_BYTES = 64 * 2**20
_BUCKET_ANSWER_KEPT_S = 10.0


def database_problem() -> str | None:
    """Check that the database answers a query. Return the fault as a sentence, or None if there is no fault.

    The query uses no table.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "The database does not answer."
    return None


def queue_problem() -> str | None:
    """Check that the broker responds. Return the fault as a sentence, or None if there is no fault."""
    return None if queue.is_reachable() else "The queue does not answer."


def storage_problem() -> str | None:
    """Check that files can be written to the storage: the media folder or the S3 bucket.

    Return the fault as a sentence, or None if there is no fault.
    """
    return _bucket_problem() if settings.S3_BUCKET else _folder_problem(Path(settings.MEDIA_ROOT))


def worker_problem(workers: list[dict[str, Any]]) -> str | None:
    """Check that at least one worker with a model is alive and reports no fault.

    Return the fault as a sentence, or None if there is no fault.
    workers: the heartbeats of the live workers.
    """
    with_model = [worker for worker in workers if worker.get("role") == MODEL_ROLE]
    if with_model and all(worker.get("error") for worker in with_model):
        return "Every worker with a model is held back after faults of its machine."
    if with_model:
        return None
    return f"No worker with a model has sent a heartbeat in the last {queue.BEAT_TTL_S} seconds."


def weights_problem(workers: list[dict[str, Any]], *, with_hosts: bool = False) -> str | None:
    """Check that each worker has loaded its model, and that each host has the files of all active models.

    Return the fault as a sentence, or None if there is no fault.
    workers: the heartbeats of the live workers.
    with_hosts: whether the sentence names the hosts; only signed-in users may see these names.
    """
    if any(worker.get("role") == FAILED_ROLE for worker in workers):
        return "A worker cannot load its model."
    lacking = sorted({(str(worker.get("host", "")), name) for worker in workers for name in worker.get("missing", [])})
    if not lacking:
        return None
    if with_hosts:
        return f"A host lacks an active model: {', '.join(f'{host} lacks {name}' for host, name in lacking)}."
    return f"A worker lacks an active model: {', '.join(sorted({name for _, name in lacking}))}."


def live_workers() -> list[dict[str, Any]]:
    """Return the heartbeats of the live workers; an empty list if the broker cannot be reached."""
    try:
        return queue.live_workers()
    except (RedisError, OSError):
        return []


def _folder_problem(folder: Path) -> str | None:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return "The storage folder cannot be written."
    if shutil.disk_usage(existing).free < LEAST_FREE_BYTES:
        return "The disk of the storage folder is full."
    return None


class _Kept:
    """A cache for the result of a slow check. Only one thread at a time runs the check.

    ask: a function that runs the check and returns its result.
    kept_s: how long a result is used, in seconds.
    """

    def __init__(self, ask: Callable[[], str | None], kept_s: float) -> None:
        self._ask, self._kept_s = ask, kept_s
        self._lock = threading.Lock()
        self._until_s = 0.0
        self._answer: str | None = None

    def __call__(self) -> str | None:
        with self._lock:
            if time.monotonic() >= self._until_s:
                self._answer = self._ask()
                self._until_s = time.monotonic() + self._kept_s
            return self._answer


def ask_bucket() -> str | None:
    """Check the bucket with one request to the S3 service.

    Return the fault as a sentence, or None if there is no fault.
    """
    try:
        default_storage.connection.meta.client.head_bucket(Bucket=settings.S3_BUCKET)  # type: ignore[attr-defined]
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        logger.warning("the bucket cannot be used: %s", error)
        return "The bucket does not exist." if status == 404 else "The bucket cannot be used with these credentials."
    except BotoCoreError as error:
        logger.warning("the S3 service does not answer: %s", error)
        return "The S3 service does not answer."
    return None


_bucket_problem = _Kept(ask_bucket, _BUCKET_ANSWER_KEPT_S)
