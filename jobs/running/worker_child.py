"""One worker process: load the model, send heartbeats, serve the queues of its role."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from jobs.work import queue
from jobs.work.tasks import worker_name

logger = logging.getLogger(__name__)


def run_child(role: str) -> None:
    """Serve until SIGTERM or SIGINT. A child with a model loads and warms it before its first message."""
    describe: Callable[[], dict[str, object]] = dict
    if role == "pictures":
        from jobs.inference.engines import engines, upkeep_forever

        engines().warm_up()
        describe = engines().describe
        threading.Thread(target=upkeep_forever, name="models", daemon=True).start()
    name = worker_name()
    threading.Thread(target=_beat, args=(name, role, describe), name="heartbeat", daemon=True).start()
    try:
        queue.serve(queue.QUEUES_OF_ROLE[role], name=name)
    finally:
        queue.forget_worker(name)


def _beat(name: str, role: str, describe: Callable[[], dict[str, object]]) -> None:
    """Send a heartbeat three times in the time after which it expires."""
    state = {"pid": os.getpid(), "host": os.uname().nodename, "role": role}
    while True:
        try:
            queue.beat(name, state | describe() | {"beat_at": time.time()})
        except Exception:
            logger.warning("the heartbeat of %s did not reach the queue", name)
        time.sleep(queue.BEAT_TTL_S / 3)
