"""Stage 5, worker: a small torch-free parent that keeps warm children alive, sweeps, and restarts what dies.

A child forked after torch has run with two threads hangs, so children are started as fresh processes.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import close_old_connections

from jobs.intake import uploads
from jobs.results import deletions
from jobs.webhooks import delivery
from jobs.work import lifecycle, queue

logger = logging.getLogger(__name__)

STOP_GRACE_S = 20.0
_BACKOFF_S = (0.0, 0.5, 2.0, 5.0)
_EXPIRE_EVERY_S = 60.0
_STABLE_AFTER_S = 30.0
_NICENESS = 5  # on a busy processor requests go first; a picture takes as long as it takes


@dataclass
class Child:
    """Hold one child process and how often it has died shortly after its start."""

    role: str
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    early_deaths: int = 0
    start_after: float = field(default=0.0)

    def start(self) -> None:
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "work", "--child", self.role]
        # Its own process group: Ctrl-C in a terminal reaches the parent alone, which then stops children in order.
        self.process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.PIPE)
        self.started_at = time.monotonic()


class WorkerParent:
    """Run `count` model children, some that download, and one for each light queue, until told to stop.

    Zips have a child of their own, because a receiver of webhooks can take its time, and a large zip does. So can a
    server that pictures are fetched from, and no model waits for it; nor do quick receivers wait for slow ones.
    """

    def __init__(self, count: int) -> None:
        counts = {"pictures": count, "downloads": settings.MATTING_DOWNLOADERS}
        self.children = [Child(role) for role in queue.QUEUES_OF_ROLE for _ in range(counts.get(role, 1))]
        self.stopping = threading.Event()

    def run(self) -> None:
        """Block until SIGTERM or SIGINT; then let children finish their picture and go."""
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, lambda *_: self.stopping.set())
        for deed in (self._sweep, self._clean):
            threading.Thread(target=deed, name=deed.__name__, daemon=True).start()
        while not self.stopping.is_set():
            for child in self.children:
                self._keep_alive(child)
            self.stopping.wait(0.2)
        self._stop_children()

    def _keep_alive(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is None:
            return
        if child.process is not None:
            self._bury(child, now)
        if now >= child.start_after:
            child.start()

    def _bury(self, child: Child, now: float) -> None:
        """Note a death, free at once what the dead child held, and wait longer when it keeps dying young."""
        name = f"{os.uname().nodename}-{child.process.pid}"
        logger.warning("worker %s (%s) ended with %s; another is started", name, child.role, child.process.returncode)
        young = now - child.started_at < _STABLE_AFTER_S
        child.early_deaths = child.early_deaths + 1 if young else 0
        child.start_after = now + _BACKOFF_S[min(child.early_deaths, len(_BACKOFF_S) - 1)]
        child.process = None
        try:
            close_old_connections()
            queue.forget_worker(name)
            lifecycle.leases_release(worker=name)
        except Exception:
            logger.exception("what worker %s held is left to the sweeper", name)

    def _stop_children(self) -> None:
        running = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_GRACE_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _sweep(self) -> None:
        """Recover what dead workers of any machine held."""
        while not self.stopping.wait(settings.MATTING_SWEEP_INTERVAL_S):
            try:
                close_old_connections()
                lifecycle.images_recover()
                lifecycle.bundles_recover()
                delivery.deliveries_resend()
            except Exception:
                logger.exception("this sweep failed; the next one comes in %s s", settings.MATTING_SWEEP_INTERVAL_S)

    def _clean(self) -> None:
        """Delete what has expired, beside the sweeper: a slow storage must not hold up what runs."""
        next_expiry = 0.0
        while not self.stopping.wait(settings.MATTING_SWEEP_INTERVAL_S):
            try:
                close_old_connections()
                deletions.deletions_retry()
                if time.monotonic() >= next_expiry:
                    next_expiry = time.monotonic() + _EXPIRE_EVERY_S
                    if lifecycle.jobs_expire():
                        next_expiry = 0.0  # there may be more
                    uploads.uploads_expire()
                    delivery.deliveries_expire()
            except Exception:
                logger.exception("what has expired could not be deleted this time")


def run_child(role: str) -> None:
    """Be one child: warm the model up before the first message, beat, serve, and end when the parent does."""
    from jobs.work.tasks import worker_name

    _end_with_parent()
    os.nice(_NICENESS)
    describe: Callable[[], dict[str, str]] = dict
    if role == "pictures":
        from jobs.work import engine

        engine.current_engine()
        describe = engine.describe
    beating = threading.Thread(target=_beat, args=(worker_name(), role, describe), name="heartbeat", daemon=True)
    beating.start()
    try:
        queue.serve(queue.QUEUES_OF_ROLE[role], name=worker_name())
    finally:
        queue.forget_worker(worker_name())


def _beat(name: str, role: str, describe: Callable[[], dict[str, str]]) -> None:
    state = {"pid": os.getpid(), "host": os.uname().nodename, "role": role}
    while True:
        try:
            queue.beat(name, state | describe() | {"beat_at": time.time()})
        except Exception:
            logger.warning("the heartbeat of %s did not reach the queue", name)
        time.sleep(queue.BEAT_TTL_S / 3)


def _end_with_parent() -> None:
    """Leave when the pipe from the parent closes, so that a killed parent leaves no orphan behind."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
