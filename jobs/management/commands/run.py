"""Start-up: `manage.py run` starts the whole site on this machine and ends all of it again."""

from __future__ import annotations

import http.client
import os
import signal
import sys
import threading
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from jobs import broker, first_start
from jobs.first_start import CannotStart, FirstSecrets
from jobs.management.commands.setup import secrets_text
from jobs.supervision import Program, Supervisor
from jobs.worker import STOP_GRACE_S

_BROKER_TIMEOUT_S = 60.0
_ASK_EVERY_S = 0.1
_NOT_READY_AFTER_S = 120.0


class Command(BaseCommand):
    help = "Start the queue, the workers and the web server on this machine; Ctrl-C ends them all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--end-with-parent", action="store_true", help="stop when the calling process is gone")

    def handle(self, *args: object, **options: object) -> None:
        host, port = os.environ.get("HOST", "127.0.0.1"), _port_from_environment()
        try:
            first_start.folder_require(settings.DATA_DIR)
            lock = first_start.folder_lock(settings.DATA_DIR)
            first_start.port_require(host, port)
            first_start.database_migrate()
        except CannotStart as error:
            raise CommandError(f"Keyline cannot start: {error}") from None
        if first_start.static_files_collect():
            self._say("Static files collected.")
        made = first_start.first_account_create()
        if made:
            self.stdout.write(secrets_text(made))
        connections.close_all()
        stop = _StopRequests(end_with_parent=options["end_with_parent"])
        supervisor = Supervisor(report=self._say, held_files=[lock.fileno()])
        try:
            self._start_programs(supervisor, host, port)
            announcer = _Announcer(host, port, made, self._say)
            threading.Thread(target=announcer.run, name="announcer", daemon=True).start()
            supervisor.run(until=stop.is_requested)
        finally:
            self._say("Stopping. Ctrl-C again to hurry.")
            supervisor.stop(hurry=stop.is_urgent)
            self._say("Stopped.")

    def _start_programs(self, supervisor: Supervisor, host: str, port: int) -> None:
        if "REDIS_URL" not in os.environ:
            try:
                command = broker.command(socket=settings.BROKER_SOCKET, folder=settings.DATA_DIR / "broker")
            except OSError as error:
                raise CommandError(f"Keyline cannot start: {error}") from None
            supervisor.start(Program("queue", command, grace_s=10))
        try:
            broker.wait_until_ready(settings.REDIS_URL, timeout_s=_BROKER_TIMEOUT_S)
        except broker.BrokerNotReady as error:
            raise CommandError(f"Keyline cannot start: {error}") from None
        python, manage = sys.executable, str(settings.BASE_DIR / "manage.py")
        gunicorn = [python, "-m", "gunicorn", "--config", str(settings.BASE_DIR / "gunicorn.conf.py")]
        listen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        supervisor.start(Program("workers", [python, manage, "work"], grace_s=STOP_GRACE_S + 5))
        supervisor.start(Program("web server", [*gunicorn, "--bind", listen], grace_s=10))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


class _StopRequests:
    """Remember the signals that ask to stop, and see when the calling process is gone."""

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


class _Announcer:
    """Ask the site until it answers, and then say where to click and what to type."""

    def __init__(self, host: str, port: int, made: FirstSecrets | None, say: object) -> None:
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
        self._port = port
        self._made = made
        self._say = say
        self._pause = threading.Event()

    def run(self) -> None:
        shown = f"[{self._host}]" if ":" in self._host else self._host
        address = f"http://{shown}:{self._port}"
        self._wait_for("/health/live")
        self._say(f"The site answers at {address}/ while the model warms up.")
        if not self._wait_for("/health", give_up_after_s=_NOT_READY_AFTER_S):
            self._say(
                f"The workers are not ready after {_NOT_READY_AFTER_S:.0f} s; {address}/health says what is missing."
            )
            self._wait_for("/health")
        self._say(self._ready_text(address))

    def _wait_for(self, path: str, *, give_up_after_s: float = float("inf")) -> bool:
        waited_s = 0.0
        while not self._answers(path):
            if waited_s > give_up_after_s:
                return False
            self._pause.wait(_ASK_EVERY_S)
            waited_s += _ASK_EVERY_S
        return True

    def _answers(self, path: str) -> bool:
        """Say whether the site answers; a redirect to HTTPS or a refused host name is an answer too."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _ready_text(self, address: str) -> str:
        secret = self._made.key_secret if self._made else "$KEYLINE_KEY"
        lines = [
            "",
            "  Keyline is ready.",
            "",
            f"    page    {address}/",
            f"    admin   {address}/admin/",
            f"    API     {address}/docs",
            "",
            f'    curl -H "Authorization: Bearer {secret}" -F image=@photo.jpg {address}/api/matting/single',
        ]
        if not self._made:
            lines += ["", "    A key: .venv/bin/python manage.py create_key --team NAME --name LABEL"]
        return "\n".join([*lines, "", "  Ctrl-C stops everything.", ""])


def _port_from_environment() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CommandError(f"Keyline cannot start: PORT={text} is not a port from 1 to 65535")
    return int(text)
