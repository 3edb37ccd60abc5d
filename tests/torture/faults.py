"""Faults of the services that a site needs: they stop, hang, have no space or refuse connections.

The measured value is the recovery time: the time until pictures are processed again.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import UUID

import requests

from jobs.running import broker
from tests.stack import free_port
from tests.torture.figures import RECOVERY_S, Figure
from tests.torture.proxy import Mode, Proxy, proxied
from tests.torture.site import TorturedSite, Watch, tortured_site, wait_until
from tests.torture.traffic import Traffic

_CLIENTS = ("waits", "polls", "polls")


class Fault:
    """The measurement of one kind of fault of a site: it measures the recovery times, and returns them as figures.

    recoveries: the longest recovery time in seconds, by the name of the outage.
    """

    def __init__(self, site: TorturedSite, title: str) -> None:
        self.site, self.title = site, title
        self.traffic, self.watch = Traffic(site), Watch(site)
        self.recoveries: dict[str, float] = {}

    @contextmanager
    def attacked(self, *ways: str) -> Iterator[None]:
        """Let clients send pictures during the block. The block starts after the first response.

        ways: names of methods of `Traffic` that send pictures; see `Traffic.running`.
        """
        with self.watch.running(), self.traffic.running(*(ways or _CLIENTS)):
            self.traffic.waits()
            yield

    def outage(self, name: str, begin: Callable[[], object], end: Callable[[], object], seconds: float) -> None:
        """Call `begin`, wait `seconds` seconds, call `end`, and store the recovery time under `name`.

        `recovered` explains the recovery time.
        """
        begin()
        time.sleep(seconds)
        end()
        self.recovered(name, time.monotonic())

    def recovered(self, name: str, ended: float) -> None:
        """Wait until all pictures in progress and one new picture have their responses, and store the recovery time.

        name: the key in `recoveries`, which keeps the longest time. ended: the end of the outage, a time of
        `time.monotonic`, at which the recovery time starts.
        """
        open_ones = [sent for sent in self.traffic.sent if sent.ended is None]
        new = self.traffic.waits()
        wait_until(lambda: all(sent.ended is not None for sent in open_ones), 120)
        last = max((sent.ended or float("inf")) for sent in (*open_ones, new))
        self.recoveries[name] = round(max(last - ended, self.recoveries.get(name, 0.0)), 1)

    def figures(self, *more: Figure) -> list[Figure]:
        worst = max(self.recoveries.values(), default=0.0)
        return [
            Figure(f"{self.title}: slowest recovery", worst, "s", RECOVERY_S, details=dict(self.recoveries)),
            *more,
            *self.traffic.figures(self.title),
            *self.watch.figures(self.title),
        ]


_HANGS = {"hangs": signal.SIGUSR2, "is stopped": signal.SIGSTOP}


def hung_worker(site: TorturedSite, *, times: int, ways: tuple[str, ...] = tuple(_HANGS)) -> list[Figure]:
    """Make the worker hang in native code, or suspend it with SIGSTOP, and measure the recovery time.

    The worker's parent process must replace the worker. times: the number of repetitions for each way. ways: keys of
    _HANGS.
    """
    fault = Fault(site, "Worker that hangs or is stopped")
    with fault.attacked():
        for way in ways * times:
            wait_until(lambda: bool(site.processes("--child", "pictures")) and _pulses(site), 60)
            os.kill(site.processes("--child", "pictures")[0], _HANGS[way])
            fault.recovered(way, time.monotonic())
    return fault.figures()


def _pulses(site: TorturedSite) -> bool:
    """Return whether each worker has a pulse file, which shows that it is alive.

    A worker creates this file after it has loaded its model. Only then can its parent process detect that it hangs.
    """
    return all((site.folder / "pulses" / str(pid)).exists() for pid in site.processes("--child", "pictures"))


def stopped_web_process(site: TorturedSite, *, times: int) -> list[Figure]:
    """Suspend one web process with SIGSTOP, `times` times, and measure the recovery time.

    The parent process must replace the suspended process. The figures do not include the response times of health
    requests, because some of these requests wait for the new process.
    """
    fault = Fault(site, "Web process that is stopped")
    with fault.attacked():
        for _ in range(times):
            wait_until(lambda: len(site.processes("webserver", "--child")) >= 2, 60)
            os.kill(site.processes("webserver", "--child")[0], signal.SIGSTOP)
            fault.recovered("is stopped", time.monotonic())
    return [figure for figure in fault.figures() if "slowest probe" not in figure.promise]


def locked_database(site: TorturedSite, *, seconds: float) -> list[Figure]:
    """Hold SQLite's write lock for longer than the site waits for the lock, and measure the recovery time."""
    fault = Fault(site, "SQLite locked")
    with fault.attacked():
        database = sqlite3.connect(site.folder / "keyline.sqlite3", timeout=60, isolation_level=None)
        try:
            begin, end = (partial(database.execute, sql) for sql in ("BEGIN IMMEDIATE", "ROLLBACK"))
            fault.outage("locked", begin, end, seconds)
        finally:
            database.close()
    return fault.figures()


def slow_broker(*, seconds: float) -> list[Figure]:
    """Let the broker respond slowly, hang and refuse connections, and measure the recovery time of each outage.

    seconds: the length of each outage.
    """
    folder = Path(tempfile.mkdtemp(prefix="keyline-broker-"))
    path = folder / "broker.sock"
    server = subprocess.Popen(broker.command(socket=path, folder=folder), stdin=subprocess.DEVNULL)
    try:
        wait_until(path.exists, 30)
        with proxied(str(path)) as proxy, tortured_site(REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0") as site:
            fault = Fault(site, "Broker that is slow, hangs or refuses")
            with fault.attacked():
                for mode in (Mode.SLOW, Mode.HANG, Mode.REFUSE):
                    fault.outage(mode.value, lambda mode=mode: proxy.set(mode), lambda: proxy.set(Mode.PASS), seconds)
            return fault.figures()
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def bucket(*, seconds: float) -> list[Figure]:
    """Store the pictures in a bucket whose server hangs and refuses connections, and measure the recovery time.

    seconds: the length of each outage.
    """
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", free_port(), verbose=False)
    server.start()
    try:
        address = server.get_host_and_port()
        requests.put(f"http://{address[0]}:{address[1]}/pictures", timeout=30).raise_for_status()
        with proxied(address) as proxy, tortured_site(**_bucket_settings(proxy)) as site:
            fault = Fault(site, "S3 that hangs or refuses")
            with fault.attacked():
                for mode in (Mode.REFUSE, Mode.HANG):
                    fault.outage(mode.value, lambda mode=mode: proxy.set(mode), lambda: proxy.set(Mode.PASS), seconds)
            return fault.figures()
    finally:
        server.stop()


def _bucket_settings(proxy: Proxy) -> dict[str, str]:
    return {
        "MATTING_S3_BUCKET": "pictures",
        "MATTING_S3_ENDPOINT": f"http://127.0.0.1:{proxy.port}",
        "MATTING_S3_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def silent_mail_server(*, times: int) -> list[Figure]:
    """Let users request new passwords while the mail server does not respond, and return the figures."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with tortured_site(EMAIL_URL=f"smtp://127.0.0.1:{port}", MATTING_MAIL_TIMEOUT_S="5") as site:
            site.stack.manage("shell", "-c", _GIVE_ADDRESS)
            fault = Fault(site, "Mail server that never answers")
            pages: list[float] = []
            with fault.attacked():
                for _ in range(times):
                    pages.append(_password_reset(site))
                    fault.recovered("pictures meanwhile", time.monotonic())
            kept = site.query("SELECT count(*) FROM jobs_queuedmail")[0][0]
            return fault.figures(
                Figure(f"{fault.title}: slowest page", round(max(pages), 1), "s", 2.0),
                Figure(f"{fault.title}: mails lost", times - kept, "", 0),
            )


_GIVE_ADDRESS = (
    "from django.contrib.auth.models import User;"
    " User.objects.filter(username='admin').update(email='admin@example.com')"
)


def _password_reset(site: TorturedSite) -> float:
    """Request a new password on the page, and return the response time in seconds."""
    session = requests.Session()
    page = session.get(f"{site.url}/accounts/password/reset/", timeout=60).text
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, "the page has no form"
    fields = {"csrfmiddlewaretoken": found[1], "email": "admin@example.com"}
    started = time.monotonic()
    answer = session.post(f"{site.url}/accounts/password/reset/", data=fields, timeout=60)
    answer.raise_for_status()
    return time.monotonic() - started


_DISK_BYTES = 512 * 2**20


def full_disk(*, seconds: float) -> list[Figure]:
    """Fill the disk of the data folder. No partial file may remain, and jobs must be deletable. Return the figures.

    seconds: the time for which the disk stays full. The function needs the permission to mount a tmpfs.
    """
    folder = Path(tempfile.mkdtemp(prefix="keyline-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        return [Figure("Full disk: not measured, because this user may not mount a tmpfs", 0)]
    site = TorturedSite(folder)
    try:
        fault = Fault(site, "Full disk")
        deletions: list[int] = []
        with fault.attacked():
            jobs = [_finished_job(site, fault.traffic) for _ in range(3)]
            ballast = folder / "ballast"
            _fill(ballast, folder)
            time.sleep(seconds / 2)
            deletions += [_delete(site, job) for job in jobs]
            parts = [path.name for path in folder.rglob("*.part")]
            time.sleep(seconds / 2)
            ballast.unlink()
            fault.recovered("full", time.monotonic())
        refused = sum(status not in (200, 202, 204) for status in deletions)
        return fault.figures(
            Figure(f"{fault.title}: refused deletions", refused, "", 0, details={"statuses": deletions}),
            Figure(f"{fault.title}: half-written files", len(parts), "", 0),
        )
    finally:
        site.stop()
        subprocess.run(["umount", "--lazy", str(folder)], check=False)
        with suppress(OSError):
            folder.rmdir()


def _finished_job(site: TorturedSite, traffic: Traffic) -> str:
    """Return the id of a job with a finished picture, which the test then deletes."""
    name = traffic.polls().name
    traffic.deleted.add(name)
    return str(UUID(site.query("SELECT job_id FROM jobs_jobimage WHERE name = ?", name)[0][0]))


def _delete(site: TorturedSite, job: str) -> int:
    headers = {"Authorization": f"Bearer {site.secret}"}
    return requests.delete(f"{site.url}/api/jobs/{job}/", headers=headers, timeout=60).status_code


def _fill(ballast: Path, folder: Path) -> None:
    with ballast.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free)
    with ballast.open("ab") as file, suppress(OSError):
        while shutil.disk_usage(folder).free:
            file.write(bytes(4096))
            file.flush()
