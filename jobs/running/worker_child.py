"""One worker process: it loads the model, sends heartbeats, and processes the queues of its role."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError

from jobs.running import readiness
from jobs.running.pulse import PULSE_EVERY_S, pulse
from jobs.running.upkeep import upkeep_start
from jobs.work import queue, serving
from jobs.work.faults import fitness
from jobs.work.lanes import lanes
from jobs.work.tasks import worker_name
from mattingsite import __version__
from segmentation.runtimes import device_of

logger = logging.getLogger(__name__)

UPKEEP_ROLE = "upkeep"
_NICENESS = 5  # on a busy processor requests have priority


def run_child(role: str) -> None:
    """Process the messages of a role's queues until SIGTERM or SIGINT.

    A model worker first loads its model and runs it once. The `upkeep` worker also runs the recurring tasks of this
    host.
    role: a key of QUEUES_OF_ROLE, such as `pictures`.
    """
    os.nice(_NICENESS)
    name = worker_name()
    describe: Callable[[], dict[str, object]] = dict
    if role == readiness.MODEL_ROLE:
        describe = _load_model(name)
    threading.Thread(target=_pulse, name="pulse", daemon=True).start()
    threading.Thread(target=_beat, args=(name, role, describe), name="heartbeat", daemon=True).start()
    if role == UPKEEP_ROLE:
        upkeep_start()
    try:
        serving.serve(queue.QUEUES_OF_ROLE[role], name=name)
    finally:
        with contextlib.suppress(RedisError, OSError):  # without the broker, the heartbeat expires by itself
            queue.forget_worker(name)


def _load_model(name: str) -> Callable[[], dict[str, object]]:
    """Load the model, and return a function that describes the loaded model.

    If the model cannot be loaded, report the error for /health and raise it.
    """
    from jobs.inference.engines import engines, upkeep_forever

    try:
        engines().warm_up()
    except Exception as error:
        with contextlib.suppress(RedisError, OSError):
            # Differs from the worker's own name, which its parent deletes immediately when the worker ends.
            queue.beat(
                f"{name}-failed", _state(readiness.FAILED_ROLE) | {"error": str(error)[:500], "beat_at": time.time()}
            )
        raise
    threading.Thread(target=upkeep_forever, name="models", daemon=True).start()
    if device_of(str(engines().describe().get("runtime", ""))) == "cuda":
        lanes.open(settings.MATTING_GPU_PICTURES)
    return engines().describe


def _state(role: str) -> dict[str, Any]:
    """Return the entries that each heartbeat of this process contains."""
    return {"pid": os.getpid(), "host": os.uname().nodename, "role": role, "keyline": __version__}


def _pulse() -> None:
    """Repeatedly touch the pulse file of this process, to show the parent process that Python code still runs here.

    This runs in a separate thread, because the broker may hang.
    """
    while True:
        with contextlib.suppress(OSError):  # a full disk must not end this loop
            pulse(os.getpid())
        time.sleep(PULSE_EVERY_S)


def _beat(name: str, role: str, describe: Callable[[], dict[str, object]]) -> None:
    """Repeatedly send heartbeats of this process: three within the lifetime of one heartbeat.

    name: the worker's name.
    describe: returns the description of the loaded model.
    """
    while True:
        try:
            described = describe()
            device = {"device": device_of(str(described.get("runtime", "")))} if described else {}
            queue.beat(name, _state(role) | described | device | fitness.describe() | {"beat_at": time.time()})
        except Exception:
            logger.warning("the heartbeat of %s did not reach the queue", name)
        time.sleep(queue.BEAT_TTL_S / 3)
