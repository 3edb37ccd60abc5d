"""The attacked site, started as users do, and a record of its response times and the memory of its web server."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stack import Stack, free_port, start_stack
from tests.torture.figures import PROBE_MS, WEB_MB, Figure
from tests.torture.probe import probing

STARTUP = Path(__file__).with_name("startup")
_SAMPLE_EVERY_S = 0.25
START_S = 900.0  # the machine may have other load
SITE = {
    "PYTHONPATH": str(STARTUP),
    "MATTING_FETCH_ALLOW": "127.0.0.1:*",
    "LOG_LEVEL": "WARNING",
    "MATTING_QUOTA_REQUESTS_PER_SECOND": "100000",
}


class TorturedSite:
    """A running site that can be started again.

    stack: the site as it was started last. secret: the secret of the first key, which stays valid after a new start.
    """

    def __init__(self, folder: Path, **changes: str) -> None:
        self.folder = folder
        self._port = free_port()
        self._changes = SITE | changes | {"PORT": str(self._port)}
        self.start_again()
        self.stack.wait_until_healthy(timeout_s=START_S)
        self.secret = self.stack.secret
        self.url = self.stack.base_url

    @classmethod
    def around(cls, stack: Stack) -> TorturedSite:
        """Return a TorturedSite for a running stack. It cannot be started again."""
        site = cls.__new__(cls)
        site.folder, site.stack = stack.data_dir, stack
        site.secret, site.url = stack.secret, stack.base_url
        return site

    def start_again(self) -> None:
        """Run `manage.py run` again, without waiting, as systemd does."""
        self.stack: Stack = start_stack(self.folder, **self._changes)
        self.stack.port = self._port

    def processes(self, *words: str) -> list[int]:
        return self.stack.processes(*words)

    def query(self, sql: str, *values: object) -> list[tuple]:
        """Return the rows of a query on the site's SQLite database."""
        with sqlite3.connect(f"file:{self.folder / 'keyline.sqlite3'}?mode=ro", uri=True, timeout=60) as database:
            return database.execute(sql, values).fetchall()

    def stop(self) -> None:
        if self.stack.process.poll() is None:
            self.stack.stop(signal.SIGTERM)


@contextmanager
def tortured_site(**changes: str) -> Iterator[TorturedSite]:
    """Start a site in a new folder, wait until it is healthy, and yield it; stop and delete it at the end.

    changes: environment variables of the site.
    """
    folder = Path(tempfile.mkdtemp(prefix="keyline-torture-"))
    site = TorturedSite(folder, **changes)
    try:
        yield site
    finally:
        site.stop()
        shutil.rmtree(folder, ignore_errors=True)


def memory_mb(pids: list[int]) -> float:
    """Return the total memory of several processes in MB.

    The size of a shared page is divided by the number of processes that use it.
    """
    total_kb = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total_kb += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total_kb / 1024


class Watch:
    """A record of a site's response times, and of the highest memory of its web processes and their pixel processes.

    Ten times per second, a probe requests the site's health. Pixel processes decode pictures for the web server.
    """

    def __init__(self, site: TorturedSite) -> None:
        self._site = site
        self.web_mb = 0.0
        self.pixels_mb = 0.0
        self.probes: dict[str, float] = {}
        self._ended = threading.Event()

    def sample(self) -> None:
        self.web_mb = max(self.web_mb, memory_mb(self._site.processes("webserver")))
        self.pixels_mb = max(self.pixels_mb, memory_mb(self._site.processes("spawn_main")))

    def _run(self) -> None:
        while not self._ended.wait(_SAMPLE_EVERY_S):
            self.sample()

    @contextmanager
    def running(self) -> Iterator[Watch]:
        thread = threading.Thread(target=self._run, daemon=True)
        with probing(f"{self._site.url}/health/live") as self.probes:
            thread.start()
            try:
                yield self
            finally:
                self._ended.set()
                thread.join()

    def figures(self, name: str, *, probes: bool = True) -> list[Figure]:
        """Return the figures of memory and response times. name: the prefix of their names.

        probes: whether to include the slowest response to a probe (health request).
        """
        found = [
            Figure(f"{name}: most memory of the web server", round(self.web_mb, 1), "MB", WEB_MB),
            Figure(f"{name}: most memory of its pixel processes", round(self.pixels_mb, 1), "MB"),
        ]
        if probes:
            slowest = self.probes.get("max", float("inf"))
            found.append(Figure(f"{name}: slowest probe", slowest, "ms", PROBE_MS, details=dict(self.probes)))
        return found


def wait_until(condition, timeout_s: float) -> bool:
    """Wait until `condition` returns true and return True; return False after `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
