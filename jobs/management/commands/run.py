"""`manage.py run` starts the whole site on this machine. It stops the site at Ctrl-C or a signal."""

from __future__ import annotations

import http.client
import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from redis.exceptions import RedisError

from jobs.management.commands.setup import secrets_text
from jobs.results.storage import storage_reopen
from jobs.running import broker, checks, first_start, reloading
from jobs.running.first_start import CannotStart, FirstSecrets
from jobs.running.supervision import Program, Supervisor
from jobs.running.worker import STOP_GRACE_S, run_workers
from jobs.teams.open_networks import open_networks
from jobs.work import queue
from jobs.work.first_picture import HEADER, permit
from webserver.configuration import from_environment as web_configuration

_BROKER_TIMEOUT_S = 60.0
_WEB_STOP_MARGIN_S = 15
_WEB_IS_SLOW_AFTER_S = 15.0
_WARM_UP_IS_SLOW_AFTER_S = 120.0


class Command(BaseCommand):
    help = "Start the queue, the workers and the web server on this machine; Ctrl-C ends them all."
    # The URL check would import every view and double the time to the first response.
    requires_system_checks = [checks.TAG]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--end-with-parent", action="store_true", help="stop when the calling process is gone")
        parser.add_argument("--reload", action="store_true", help="restart programs when a source file changes")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            web = web_configuration()
        except ValueError as error:
            raise CommandError(f"Keyline cannot start: {error}") from None
        site = _Address(web.host, web.port)
        try:
            lock = _prepared_folder(site)
            if first_start.static_files_collect():
                self._say("Static files collected.")
            made = first_start.first_account_create()
            if made:
                self._say(secrets_text(made))
            connections.close_all()
            stop = _StopRequests(end_with_parent=options["end_with_parent"])
            self._serve(site, made, lock, stop, reload=options["reload"])
        except CannotStart as error:
            raise CommandError(f"Keyline cannot start: {error}") from None

    def _serve(
        self, site: _Address, made: FirstSecrets | None, lock: IO[str], stop: _StopRequests, *, reload: bool
    ) -> None:
        """Run all programs of the site until a stop is requested. Raise CannotStart if the queue does not start."""
        supervisor = Supervisor(report=self._say, in_fork=storage_reopen, held_files=[lock.fileno()])
        try:
            _start_queue(supervisor)
            supervisor.start(_web_server(forks=not reload))
            supervisor.start(_workers(forks=not reload))
            supervisor.run(until=_first_of(stop.is_requested, site.is_live, _after(_WEB_IS_SLOW_AFTER_S)))
            if site.is_live():
                self._say(f"The site answers at {site.url}/ while the model warms up.")
            if reload:
                reloading.watch(settings.BASE_DIR, on_change=supervisor.restart)
            first = _FirstPicture(site)
            supervisor.run(until=_first_of(stop.is_requested, first.is_cut_out, _after(_WARM_UP_IS_SLOW_AFTER_S)))
            if not stop.is_requested():
                self._say(_ready_text(site, made) if first.is_cut_out() else first.problem())
            supervisor.run(until=stop.is_requested)
        finally:
            self._say("Stopping. Ctrl-C again to hurry.")
            supervisor.stop(hurry=stop.is_urgent)
            self._say("Stopped.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


class _Address:
    """The host and port of the web server."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._asked = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
        self.url = f"http://[{self._asked}]:{port}" if ":" in self._asked else f"http://{self._asked}:{port}"

    def first_picture(self) -> bool:
        """Ask the site to make its first cutout, and return whether it succeeded."""
        connection = http.client.HTTPConnection(self._asked, self.port, timeout=90)
        try:
            connection.request("POST", "/health/first-picture", headers={HEADER: permit(), "Content-Length": "0"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def is_live(self) -> bool:
        """Return whether the web server responds.

        A redirect to HTTPS or the rejection of the host name counts as a response.
        """
        connection = http.client.HTTPConnection(self._asked, self.port, timeout=2)
        try:
            connection.request("GET", "/health/live")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class _FirstPicture:
    """Makes the site's first cutout through the web server, when a worker has loaded a model.

    The requests run in a thread and are repeated until one succeeds.
    """

    def __init__(self, site: _Address) -> None:
        self._site = site
        self._thread: threading.Thread | None = None
        self._is_cut_out = False
        self._is_warm = False

    def is_cut_out(self) -> bool:
        """Return whether the first cutout has succeeded. If it has not and no request runs, start a request."""
        self._is_warm = self._is_warm or _a_model_is_warm()
        if self._is_warm and not self._is_cut_out and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._try, daemon=True)
            self._thread.start()
        return self._is_cut_out

    def problem(self) -> str:
        """Return a message that says which part of the site is not ready."""
        if self._is_warm:
            return "A model is warm, but no picture could be cut out yet; see the lines above."
        return "No model is warm yet; see the lines above."

    def _try(self) -> None:
        if self._site.first_picture():
            self._is_cut_out = True
        else:
            time.sleep(1)


class _StopRequests:
    """Counts the signals that request a stop, and checks whether the parent process has ended."""

    def __init__(self, *, end_with_parent: bool) -> None:
        self._parent = os.getppid() if end_with_parent else None
        self._signals = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, *_: object) -> None:
        self._signals += 1

    def is_requested(self) -> bool:
        return self._signals > 0 or (self._parent is not None and os.getppid() != self._parent)

    def is_urgent(self) -> bool:
        return self._signals > 1


def _prepared_folder(site: _Address) -> IO[str]:
    """Check the data folder and the port, migrate the database, and return the lock file of the data folder.

    While the lock file is open, a second `manage.py run` in this folder cannot start.
    """
    first_start.folder_require(settings.DATA_DIR)
    lock = first_start.folder_lock(settings.DATA_DIR)
    first_start.port_require(site.host, site.port)
    first_start.metrics_reset()
    first_start.storage_require()
    first_start.database_migrate()
    return lock


def _start_queue(supervisor: Supervisor) -> None:
    """Start the embedded queue server (broker), unless REDIS_URL names another one. Wait until the server responds.

    Raise CannotStart if the server does not start.
    """
    try:
        if f"unix://{settings.BROKER_SOCKET}" == settings.REDIS_URL:
            folder = settings.DATA_DIR / "broker"
            command = broker.command(socket=settings.BROKER_SOCKET, folder=folder)
            supervisor.start(Program("queue", command, grace_s=10, stop_rank=2, folder=folder))
        broker.wait_until_ready(settings.REDIS_URL, timeout_s=_BROKER_TIMEOUT_S)
    except (broker.BrokerNotReady, OSError) as error:
        raise CannotStart(str(error)) from None


def _web_server(*, forks: bool) -> Program:
    # The web server answers all accepted requests before it ends; a request may wait this long for its picture.
    grace_s = settings.MATTING_MAX_WAIT_S + _WEB_STOP_MARGIN_S
    return Program(
        reloading.WEB_SERVER,
        [sys.executable, str(settings.BASE_DIR / "webserver" / "__main__.py")],
        grace_s=grace_s,
        stop_rank=0,
        run=_serve_web if forks else None,
    )


def _serve_web() -> None:
    from webserver.server import run  # here, so that only the web server has it in memory

    sys.exit(run(web_configuration()))


def _workers(*, forks: bool) -> Program:
    return Program(
        reloading.WORKERS,
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "work"],
        grace_s=STOP_GRACE_S + 5,
        stop_rank=1,
        run=partial(run_workers, settings.MATTING_WORKERS) if forks else None,
    )


def _a_model_is_warm() -> bool:
    """Return whether a worker with a loaded model sends heartbeats. Return False if the queue cannot be reached."""
    try:
        return any(worker.get("role") == "pictures" for worker in queue.live_workers())
    except RedisError:
        return False


def _first_of(*conditions: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: any(condition() for condition in conditions)


def _after(delay_s: float) -> Callable[[], bool]:
    deadline = time.monotonic() + delay_s
    return lambda: time.monotonic() > deadline


def _ready_text(site: _Address, made: FirstSecrets | None) -> str:
    secret = made.key_secret if made else "$KEYLINE_KEY"
    lines = [
        "",
        "  Keyline is ready.",
        "",
        f"    page    {site.url}/",
        f"    admin   {site.url}/admin/",
        f"    API     {site.url}/docs",
        "",
        f'    curl -H "Authorization: Bearer {secret}" -H "Accept: image/png" \\',
        f"         -F image=@photo.jpg {site.url}/api/jobs/ -o cutout.png",
    ]
    if not made:
        lines += ["", "    For a key: .venv/bin/python manage.py create_key --team NAME --name LABEL"]
    lines += (
        ["", *(f"    OPEN: without a key, {entry}" for entry in open_networks())] if settings.MATTING_OPEN_TO else []
    )
    return "\n".join([*lines, "", "  Ctrl-C stops everything.", ""])
