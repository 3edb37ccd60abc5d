"""The parent process of one machine's worker processes.

The parent has only one thread and never imports torch, so its children can be forks. If torch had already used two
threads in the parent, a forked child would hang.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from functools import partial

from django.conf import settings
from django.db import close_old_connections

from jobs.results.storage import storage_reopen
from jobs.running import readiness
from jobs.running.memory_kills import MemoryKills
from jobs.running.pulse import Pulses
from jobs.running.supervision import Program, Supervisor
from jobs.running.worker_child import run_child
from jobs.work import queue, recovery
from segmentation.cpus import visible_gpus

logger = logging.getLogger(__name__)

STOP_GRACE_S = 20.0
_NEXT_MODEL_S = 4.0  # the first model worker is ready sooner if the next one loads its model after it


def worker_programs(pictures: int) -> list[Program]:
    """Return the programs of one machine: model workers, download workers, and one worker for each other role.

    Downloads, webhook messages, mail and zips have their own processes, so that a slow server does not block a model.
    There is no mail worker if e-mail is not configured.
    pictures: the number of model workers.
    """
    counts = {
        "pictures": pictures,
        "downloads": settings.MATTING_DOWNLOADERS,
        "mail": int(settings.EMAIL_IS_CONFIGURED),
    }
    return [_program(role, number) for role in queue.QUEUES_OF_ROLE for number in range(counts.get(role, 1))]


def run_workers(pictures: int) -> None:
    """Run this machine's workers until SIGTERM or SIGINT. After the signal, each worker finishes its current picture.

    pictures: the number of model workers.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    pulses = Pulses()
    supervisor = Supervisor(
        report=logger.warning,
        ended=partial(_release, pulses, MemoryKills()),
        hung=lambda _, pid: pulses.is_hung(pid),
        in_fork=storage_reopen,
    )
    try:
        _release_of_last_start()
        for program in worker_programs(pictures):
            supervisor.start(program)
        supervisor.run(until=stopping.is_set)
    finally:
        supervisor.stop()


def _release_of_last_start() -> None:
    """Release the pictures that are still assigned to workers of this host's previous run.

    A kill or a power failure may have ended these workers.
    """
    try:
        recovery.leases_release_of_host(host=os.uname().nodename)
    except Exception:
        logger.exception("the pictures of ended workers were not released; the sweep does it when their leases expire")


def _program(role: str, number: int) -> Program:
    """Return the program of one worker. With several GPUs, the model workers are assigned to the GPUs in turn."""
    gpus = visible_gpus()
    on_one_gpu = role == readiness.MODEL_ROLE and len(gpus) > 1
    return Program(
        f"worker ({role})",
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "work", "--child", role],
        grace_s=STOP_GRACE_S,
        delay_s=number * _NEXT_MODEL_S if role == readiness.MODEL_ROLE else 0.0,
        run=partial(run_child, role),
        environment={"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if on_one_gpu else {},
    )


def _release(pulses: Pulses, memory_kills: MemoryKills, program: Program, pid: int, was_killed: bool) -> None:
    """Recover the work of a worker process that has ended, without waiting until its leases expire.

    The end of the worker counts as a failed attempt of the worker's picture. It does not count if a person or a program
    killed the worker with SIGKILL. It counts if the system killed the worker to free memory.
    """
    pulses.forget(pid)
    is_strike = not was_killed or memory_kills.has_grown()
    name = f"{os.uname().nodename}-{pid}"
    close_old_connections()
    queue.forget_worker(name)
    recovery.leases_release(worker=name, is_strike=is_strike)
