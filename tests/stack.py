"""Functions that start a complete site with `manage.py run`, as users do, for end-to-end tests and benchmarks."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
_START_TIMEOUT_S = float(os.environ.get("KEYLINE_START_TIMEOUT_S", "300"))
_STOP_TIMEOUT_S = 60.0


class Api(requests.Session):
    """An HTTP session that sends a key with each request to the site. URLs may be paths relative to the site."""

    def __init__(self, base_url: str, secret: str) -> None:
        super().__init__()
        self.base_url = base_url
        self.headers["Authorization"] = f"Bearer {secret}"

    def request(self, method: str, url: str, **options: object) -> requests.Response:
        options.setdefault("timeout", 120)
        return super().request(method, url if "://" in url else self.base_url + url, **options)


@dataclass
class Stack:
    """A running site, started with `manage.py run`.

    secret: the secret of the first key, which has all scopes. output: the lines that the site has printed.
    """

    port: int
    data_dir: Path
    environment: dict[str, str]
    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def public_id(self) -> str:
        return self._printed(r"key id\s+(\S+)")

    @property
    def secret(self) -> str:
        return self._printed(r"key secret\s+(\S+)")

    @property
    def admin_password(self) -> str:
        return self._printed(r"password\s+(\S+)")

    def api(self, secret: str | None = None) -> Api:
        """Return a session that sends the key `secret`; None uses the first key."""
        return Api(self.base_url, self.secret if secret is None else secret)

    def manage(self, *arguments: str) -> str:
        """Run a management command on the site and return its output. Raise AssertionError if it fails."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def create_key(self, *, team: str, name: str = "test", scopes: tuple[str, ...] = ()) -> tuple[str, str]:
        """Create a key for `team`; return its public id and its secret.

        scopes: the permissions of the key; if empty, it gets the default permissions of the command `create_key`.
        """
        given = [part for scope in scopes for part in ("--scope", scope)]
        printed = self.manage("create_key", "--team", team, "--name", name, *given).split()
        return printed[1], printed[-1]

    def processes(self, *words: str) -> list[int]:
        """Return the ids of the site's processes whose command lines contain all of `words`."""
        table = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "command="],
            capture_output=True,
            text=True,
            check=True,
        )
        rows = [line.split(None, 2) for line in table.stdout.splitlines()]
        family = {self.process.pid}
        for _ in range(4):  # levels: the site, its programs, their children, and one more
            family |= {int(row[0]) for row in rows if int(row[1]) in family}
        return [int(row[0]) for row in rows if int(row[0]) in family and all(word in row[2] for word in words)]

    def wait_until_healthy(self, *, timeout_s: float = _START_TIMEOUT_S) -> None:
        """Wait until /health returns the status 200. Raise AssertionError after `timeout_s` seconds."""

        def healthy() -> bool:
            with contextlib.suppress(requests.RequestException):
                return requests.get(f"{self.base_url}/health", timeout=10).status_code == 200
            return False

        wait_for(healthy, timeout_s=timeout_s, what=lambda: "the site is not healthy:\n" + "".join(self.output[-60:]))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal `number` to `manage.py run`, wait until it ends, and return its exit status."""
        self.process.send_signal(number)
        try:
            return self.process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def _printed(self, pattern: str) -> str:
        found = re.search(pattern, "".join(self.output))
        assert found, "the site printed no secrets:\n" + "".join(self.output)
        return found[1]


@contextlib.contextmanager
def running_stack(data_dir: Path | None = None, **changes: str) -> Iterator[Stack]:
    """Start a site on a free port, wait until it is healthy, and yield it; stop it at the end of the block.

    data_dir: the site's data folder; None uses a temporary folder. changes: environment variables of the site.
    """
    folder = Path(tempfile.mkdtemp(prefix="keyline-site-")) if data_dir is None else data_dir
    stack = start_stack(folder, **changes)
    try:
        stack.wait_until_healthy()
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.stop()
        if data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


def start_stack(folder: Path, *, working_folder: Path = ROOT, **changes: str) -> Stack:
    """Start a site and return immediately; the caller must stop it. changes: environment variables of the site."""
    port = int(changes.get("PORT") or free_port())
    environment = (
        _clean_environment()
        | {
            "MATTING_DATA_DIR": str(folder),
            "PORT": str(port),
            "MATTING_RUNTIME": "openvino",
            "MATTING_WORKERS": "1",  # starts one worker less; benchmarks set the default
        }
        | changes
    )
    process = subprocess.Popen(
        [sys.executable, "-u", str(ROOT / "manage.py"), "run", "--end-with-parent"],
        cwd=working_folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stack = Stack(port, folder, environment, process)
    threading.Thread(target=_collect, args=(stack,), daemon=True).start()
    return stack


def wait_for(condition: Callable[[], bool], *, timeout_s: float, what: Callable[[], str] | str) -> None:
    """Wait until `condition` returns true. Raise AssertionError after `timeout_s` seconds.

    what: the text of the error, or a function that returns this text.
    """
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(what if isinstance(what, str) else what())
        pause.wait(0.05)


def alive(pids: list[int]) -> bool:
    """Return whether at least one of these processes still runs, even if its parent has ended."""
    command = ["ps", "-o", "stat=", "-p", ",".join(map(str, pids))]
    states = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return any(not state.startswith("Z") for state in states)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _clean_environment() -> dict[str, str]:
    """Return the environment variables of this process without those that configure a site.

    DJANGO_SETTINGS_MODULE is set to the site's settings.
    """
    ours = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DEBUG", "HOST")
    ours += ("PROMETHEUS_MULTIPROC_DIR",)  # `run` empties this folder, which contains the tests' own counters
    return {
        name: value for name, value in os.environ.items() if not name.startswith("MATTING_") and name not in ours
    } | {"DJANGO_SETTINGS_MODULE": "mattingsite.settings"}


def _collect(stack: Stack) -> None:
    stack.output.extend(iter(stack.process.stdout.readline, ""))
