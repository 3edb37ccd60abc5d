"""Measurements that start their own sites: start time, memory, one and two workers, one and two hosts.

Each measuring function returns its measured values as figures.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from mattingsite.data_folder import broker_socket
from tests.bench import machine, mixed
from tests.bench.figures import Figure
from tests.bench.on_site import Site, ended, short_name, span_s, submitted, timed
from tests.bench.sizes import Sizes
from tests.postgres import running_postgres
from tests.stack import ROOT, Stack, free_port, running_stack, start_stack, wait_for

QUIET = {
    "MATTING_REPEAT_WINDOW_S": "0",
    "MATTING_MAX_IMAGES_PER_JOB": "1000",
    "MATTING_QUOTA_REQUESTS_PER_SECOND": "",
    "MATTING_WORKERS": "",  # the site's own default; other tests set one worker
}
_BUCKET = "keyline"


def small_and_cold(sizes: Sizes) -> list[Figure]:
    """Measure the start time of an existing site and the memory of its processes, and return them as figures."""
    with tempfile.TemporaryDirectory(prefix="keyline-bench-") as name:
        folder = Path(name)
        with running_stack(folder, **QUIET) as stack:
            site, secret = Site(stack, sizes), stack.secret
            timed(site, mixed.picture(mixed.FULL_HD), "png")
        started = time.perf_counter()
        stack = start_stack(folder, **QUIET)
        try:
            cold_s = _first_answer(stack, secret, mixed.picture(mixed.FULL_HD, 1), started)
            time.sleep(2.0)  # these processes start last; nothing is measured meanwhile
            pids = stack.processes("python")
            models = stack.processes("work", "--child", "pictures")
            model = max(models, key=machine.rss_mb)
            small = {pid: machine.own_mb(pid) for pid in pids if pid not in models}
            largest = max(small, key=lambda pid: small[pid])
            median = statistics.median(small.values())
            everything = sum(machine.own_mb(pid) for pid in stack.processes())
            return [
                Figure("cold.answer", "start of a site to its first cutout", cold_s, "s", 4),
                Figure(
                    "small.largest",
                    "largest process without a model, at rest",
                    small[largest],
                    "MB",
                    90,
                    note=f"`{short_name(largest)}`, shared memory divided; {len(small)} of them, median "
                    f"{median:.0f} MB, with all shared memory at most {max(map(machine.rss_mb, small)):.0f} MB",
                ),
                Figure("small.model", "process with the model, at rest", machine.rss_mb(model), "MB"),
                Figure("small.all", "all processes together, shared memory counted once", everything, "MB"),
            ]
        finally:
            stack.stop()


def _first_answer(stack: Stack, secret: str, photo: bytes, started: float) -> float:
    while time.perf_counter() - started < 120:
        with contextlib.suppress(requests.RequestException):
            response = requests.post(
                f"{stack.base_url}/api/jobs/",
                files={"image": ("photo.jpg", photo, "image/jpeg")},
                headers={"Authorization": f"Bearer {secret}", "Accept": "image/png"},
                timeout=120,
            )
            if response.status_code == 200:
                return time.perf_counter() - started
        time.sleep(0.02)
    raise RuntimeError("the site gave no picture in two minutes")


def two_workers(sizes: Sizes) -> list[Figure]:
    """Measure the pictures per second with one worker and with two workers. Each model uses one thread."""
    rates = {}
    for count in (1, 2):
        with running_stack(**QUIET | {"MATTING_WORKERS": str(count), "MATTING_MODEL_THREADS": "1"}) as stack:
            wait_for(
                lambda site=stack, wanted=count: _workers(site) == wanted, timeout_s=120, what="a worker is missing"
            )
            rates[count] = _rate(Site(stack, sizes))
    return [
        Figure("workers.one", "one worker of one thread", rates[1], "/s"),
        Figure(
            "workers.two", "two workers of one thread each, against one", rates[2] / rates[1], "×", 1.8, at_most=False
        ),
    ]


def two_hosts(sizes: Sizes) -> list[Figure]:
    """Measure how much faster two hosts are than one, with PostgreSQL and a bucket, and return the figures."""
    with running_postgres() as database, _bucket() as storage, tempfile.TemporaryDirectory() as other:
        shared = QUIET | storage | {"DATABASE_URL": database, "MATTING_WORKERS": "1", "MATTING_MODEL_THREADS": "1"}
        with running_stack(**shared, MATTING_HOST="first") as stack:
            site = Site(stack, sizes)
            written = _Written(database)
            alone = _rate(site)
            costs = written.a_picture(8 + site.sizes.scaling)
            environment = stack.environment | {
                "MATTING_DATA_DIR": other,
                "MATTING_HOST": "second",
                "REDIS_URL": f"unix://{broker_socket(stack.data_dir)}",
            }
            command = [sys.executable, str(ROOT / "manage.py"), "work", "--processes", "1"]
            with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
                try:
                    wait_for(lambda: _workers(stack) == 2, timeout_s=120, what="the second host sends no heartbeat")
                    together = _rate(site)
                finally:
                    process.terminate()
                    process.wait(60)
    return [
        Figure("hosts.one", "one host over PostgreSQL and S3", alone, "/s"),
        Figure("hosts.two", "two hosts against one, on the same two cores", together / alone, "×", 1.8, at_most=False),
        *costs,
    ]


class _Written:
    """A counter of the transactions, rows and bytes that PostgreSQL writes after this object is created."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._before = self._counted()

    def a_picture(self, pictures: int) -> list[Figure]:
        time.sleep(1.5)  # PostgreSQL's processes report their writes within one second
        commits, rows, size = (
            (after - before) / pictures for after, before in zip(self._counted(), self._before, strict=True)
        )
        file_bytes, cutout_bytes = self._stored()
        return [
            Figure("hosts.commits", "database transactions a picture", commits, ""),
            Figure("hosts.rows", "rows inserted, updated or deleted a picture", rows, ""),
            Figure("hosts.row_bytes", "database bytes a picture, with indexes", size / 1000, "KB"),
            Figure("hosts.file_bytes", "stored bytes a picture, all files", file_bytes / pictures / 1000, "KB"),
            Figure("hosts.cutout_bytes", "of it the cutout", cutout_bytes / pictures / 1000, "KB"),
        ]

    def _counted(self) -> tuple[int, int, int]:
        found = self._asked(
            "SELECT xact_commit, tup_inserted + tup_updated + tup_deleted, pg_database_size(datname) "
            "FROM pg_stat_database WHERE datname = current_database()"
        )
        return int(found[0]), int(found[1]), int(found[2])

    def _stored(self) -> tuple[int, int]:
        found = self._asked("SELECT sum(bytes), sum(bytes) FILTER (WHERE kind = 'cutout') FROM jobs_artifact")
        return int(found[0]), int(found[1])

    def _asked(self, query: str) -> tuple[int, ...]:
        import psycopg

        with psycopg.connect(self._database) as connection:
            row = connection.execute(query).fetchone()
            assert row is not None
            return row


def _workers(stack: Stack) -> int:
    return len(requests.get(f"{stack.base_url}/health", timeout=10).json()["workers"])


def _rate(site: Site) -> float:
    """Process one job and return its pictures per second. A smaller job first warms up the processes."""
    ended(site, submitted(site, mixed.zipped(mixed.mixture(8, start=70_000 + site.pictures))))
    archive = mixed.zipped(mixed.mixture(site.sizes.scaling, start=80_000 + site.pictures))
    return site.sizes.scaling / span_s(ended(site, submitted(site, archive)))


@contextlib.contextmanager
def _bucket() -> Iterator[dict[str, str]]:
    """Start a local S3 server (moto) and yield the environment variables for its bucket."""
    import boto3

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    keys = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _answers(address), timeout_s=60, what="the S3 server does not start")
            client = boto3.client(
                "s3",
                endpoint_url=address,
                aws_access_key_id="bench",
                aws_secret_access_key="bench",
                region_name="us-east-1",
            )
            client.create_bucket(Bucket=_BUCKET)
            yield keys | {
                "MATTING_S3_BUCKET": _BUCKET,
                "MATTING_S3_ENDPOINT": address,
                "MATTING_S3_REGION": "us-east-1",
            }
        finally:
            process.terminate()
            process.wait(30)


def _answers(address: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(address, timeout=2).ok
    return False
