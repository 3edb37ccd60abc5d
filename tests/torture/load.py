"""Measurement of a site's response times under load and with stalled clients. It prints a table and writes JSON.

python -m tests.torture.load [--seconds 10] [--clients 1,8,32,64,256] [--url URL --key SECRET] [--out load.json]

Without a URL, it starts a new site on a free port. Each row of the table shows one load. During the load, probes
request /health/live ten times per second, each with a new connection, from another process on the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from tests import photos
from tests.stack import running_stack
from tests.torture import stalls
from tests.torture.figures import PROBE_MS, WEB_MB, Figure
from tests.torture.probe import probing, summary
from tests.torture.site import TorturedSite, memory_mb
from tests.torture.stalls import Site, held
from tests.torture.traffic import is_allowed

Row = dict[str, Any]
MemoryOf = Callable[[], int]
Stall = tuple[int, Callable[[Site], Any]]
Meanwhile = Callable[[], Awaitable[Row]]
_SIDE_PX = 7000


async def _picture(site: Site, data: bytes) -> tuple[int, float]:
    """Send a picture and wait for its cutout; return the status and the time in milliseconds.

    The status is 0 if there is no valid response.
    """
    started = time.perf_counter()
    try:
        reader, writer = await site.connect()
        kinds = ("Content-Type: multipart/form-data; boundary=x", f"Content-Length: {len(data)}", "Connection: close")
        writer.write(site.head("POST", "/api/jobs/?wait=60", "Accept: image/png", *kinds) + data)
        answer = await asyncio.wait_for(reader.read(), 120)
        writer.close()
        status = int(answer.split(b" ", 2)[1])
    except (OSError, TimeoutError, IndexError, ValueError):
        status = 0
    return status, (time.perf_counter() - started) * 1000


def _form(photo: bytes) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    return head + photo + b"\r\n--x--\r\n"


async def _clients(site: Site, count: int, seconds: float, data: bytes) -> dict[str, Any]:
    """Let `count` clients send pictures for `seconds` seconds; return the statuses and the response times.

    Each client sends one picture after the other.
    """
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    until = time.monotonic() + seconds

    async def client() -> None:
        while True:
            status, took_ms = await _picture(site, data)
            statuses[status] += 1
            latencies.append(took_ms)
            if time.monotonic() > until:
                return
            if status != 200:
                await asyncio.sleep(1)

    await asyncio.gather(*(client() for _ in range(count)))
    return {"pictures": summary(latencies), "statuses": {str(status): n for status, n in statuses.items()}}


class Measurement:
    """The rows of the load table from one measurement.

    site: the measured site. seconds: the length of the load in each row. memory_of: a function that returns the memory
    of the web server in MB. only: measure only rows whose name contains this text.
    """

    def __init__(self, site: Site, *, seconds: float, memory_of: MemoryOf, only: str = "") -> None:
        self.site, self.seconds, self.memory_of, self.only = site, seconds, memory_of, only
        self.rows: list[Row] = []
        self.photo = _form(photos.encoded("JPEG", quality=90))

    def wants(self, name: str) -> bool:
        return self.only in name

    async def row(
        self, name: str, *, clients: int = 0, holding: tuple[Stall, ...] = (), meanwhile: Meanwhile | None = None
    ) -> None:
        """Measure the response times of probes (health requests) under a load and add a row to the table.

        name: the name of the load. clients: the number of clients that send pictures. holding: the stalled clients.
        meanwhile: a function that makes the load instead of these clients.
        """
        if not self.wants(name):
            return
        async with AsyncExitStack() as stack:
            cuts = [await stack.enter_async_context(held(self.site, count, start)) for count, start in holding]
            with probing(f"{self.site.url}/health/live") as probes:
                if meanwhile is not None:
                    done = await meanwhile()
                elif clients:
                    done = await _clients(self.site, clients, self.seconds, self.photo)
                else:
                    done = {}
                    await asyncio.sleep(self.seconds)
            memory_mb = self.memory_of()
        row = {"row": name, "probes_ms": probes, "cut_off": sum(cut[0] for cut in cuts), "web_mb": memory_mb, **done}
        self.rows.append(row)
        pictures = done.get("pictures", {})
        print(
            f"{name:44} probes p50 {probes.get('p50')} p95 {probes.get('p95')} max {probes.get('max')} ms"
            f" | pictures {pictures.get('count', 0)} p50 {pictures.get('p50', '-')} max {pictures.get('max', '-')} ms"
            f" {done.get('statuses', '')} {done.get('took_s', '')} | web {memory_mb} MB | cut off {row['cut_off']}",
            flush=True,
        )


def _pending_job(site: Site, tarpit: str) -> str:
    """Submit the URL of a picture whose server does not respond; return the job's id."""
    answer = requests.post(
        f"{site.url}/api/jobs/",
        data={"image_url": tarpit},
        headers={"Authorization": f"Bearer {site.secret}"},
        timeout=60,
    )
    answer.raise_for_status()
    return str(answer.json()["id"])


def _result_path(site: Site, photo: bytes) -> str:
    """Cut out one picture, and return the signed path of a file of its job."""
    headers = {"Authorization": f"Bearer {site.secret}"}
    files = {"image": ("a.png", photo)}
    answer = requests.post(f"{site.url}/api/jobs/?wait=60", files=files, headers=headers, timeout=120).json()
    return str(answer["images"][0]["files"][0]["url"]).removeprefix(site.url)


async def _never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.CancelledError):  # the measurement has ended
        await reader.read()


async def measure(
    site: Site, *, clients: list[int], seconds: float, memory_of: MemoryOf, waits: int, only: str = ""
) -> list[Row]:
    """Measure the rows of the load table and return them: each kind of stalled client separately, and all together.

    A stalled client sends or reads almost nothing. clients: the numbers of clients, one row for each. seconds: the
    length of the load in each row. memory_of: a function that returns the memory of the web server in MB. waits: the
    number of waiting clients. only: measure only rows whose name contains this text.
    """
    measurement = Measurement(site, seconds=seconds, memory_of=memory_of, only=only)
    async with _stalls(site, waits) as (waiting, readers, senders):
        await measurement.row("idle")
        for count in clients:
            await measurement.row(f"{count} clients", clients=count)
        await measurement.row("40 half headers", holding=((40, stalls.half_header),))
        await measurement.row("40 slow senders", holding=(senders,))
        await measurement.row("40 slow readers of one link", holding=(readers,))
        await measurement.row(f"{waits} waits", holding=(waiting,))
        most = max(count for count in clients if count <= 64)
        holding = (waiting, readers, senders, (40, stalls.half_header))
        await measurement.row(f"{most} clients, {waits} waits, 40 of each stall", clients=most, holding=holding)
    return measurement.rows


def figures(site: TorturedSite, *, clients: list[int], seconds: float, waits: int) -> list[Figure]:
    """Measure the load table and return it as figures: the slowest probe of each row, the statuses, and the memory.

    clients, seconds, waits: as in `measure`.
    """
    title, target = "Load table", Site(site.url, site.secret)

    def web_mb() -> int:
        return round(memory_mb(site.processes("webserver")))

    rows = asyncio.run(measure(target, clients=clients, seconds=seconds, memory_of=web_mb, waits=waits))
    found, others, most_mb = [], 0, 0
    for row in rows:
        pictures, statuses = row.get("pictures", {}), row.get("statuses", {})
        others += sum(number for status, number in statuses.items() if not is_allowed(int(status)))
        most_mb = max(most_mb, row["web_mb"])
        median_ms = f", median {pictures['p50']:.0f} ms" if pictures.get("count") else ""
        answered = f" ({pictures['count']} answers{median_ms})" if pictures.get("count") else ""
        name = f"{title}, {row['row']}{answered}: slowest probe"
        slowest = row["probes_ms"].get("max", float("inf"))
        found.append(Figure(name, slowest, "ms", PROBE_MS, details=row))
    return [
        *found,
        Figure(f"{title}: other answers than 200, 202, 4xx and 503", others, "", 0),
        Figure(f"{title}: most memory of the web server", most_mb, "MB", WEB_MB),
    ]


async def measure_all_at_once(site: Site, *, clients: int, seconds: float, waits: int) -> list[Row]:
    """Measure only the row with all kinds of stalled clients at the same time, and return it."""
    measurement = Measurement(site, seconds=seconds, memory_of=lambda: 0)
    async with _stalls(site, waits) as holding:
        every = (*holding, (40, stalls.half_header))
        await measurement.row(f"{clients} clients, {waits} waits, 40 of each stall", clients=clients, holding=every)
    return measurement.rows


@asynccontextmanager
async def _stalls(site: Site, waits: int) -> AsyncIterator[tuple[Stall, Stall, Stall]]:
    """Yield three kinds of stalled clients, each as a number of clients and the function that starts one client.

    The first kind waits for a job, the second kind reads slowly, and the third kind sends slowly. First create a job
    that does not end, for the waiting clients, and a large file, for the reading clients.
    """
    tarpit = await asyncio.start_server(_never_answers, "127.0.0.1", 0)
    port = tarpit.sockets[0].getsockname()[1]
    large = photos.encode(photos.astronaut().repeat(3, 0).repeat(3, 1), "BMP")  # 7 MB, more than a socket's buffer
    link = await asyncio.to_thread(_result_path, site, large)
    job_id = await asyncio.to_thread(_pending_job, site, f"http://127.0.0.1:{port}/a.png")
    try:
        yield (waits, stalls.waiter(job_id, 58)), (40, stalls.slow_reader(link)), (40, stalls.slow_sender)
    finally:
        headers = {"Authorization": f"Bearer {site.secret}"}
        await asyncio.to_thread(requests.delete, f"{site.url}/api/jobs/{job_id}", headers=headers, timeout=60)
        tarpit.close()


@contextmanager
def _site_of_its_own(**changes: str) -> Any:
    with running_stack(MATTING_FETCH_ALLOW="127.0.0.1:*", MATTING_FETCH_TIMEOUT_S="600", **changes) as stack:
        yield Site(stack.base_url, stack.secret), lambda: round(memory_mb(stack.processes("webserver")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="how long each row lasts, at least")
    parser.add_argument("--clients", default="1,8,32,64,256", help="rows of the load table")
    parser.add_argument("--waits", type=int, default=500, help="requests that wait at once")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--url", help="a site that runs already; it must fetch pictures from 127.0.0.1")
    parser.add_argument("--key", help="a key's secret for it")
    parser.add_argument("--out", type=Path, default=Path("load.json"), help="where the figures go")
    options = parser.parse_args()
    clients = [int(text) for text in options.clients.split(",")]
    started = {"load_average_before": os.getloadavg(), "processors": os.cpu_count()}

    def run(site: Site, memory_of: Any) -> None:
        rows = asyncio.run(
            measure(
                site,
                clients=clients,
                seconds=options.seconds,
                memory_of=memory_of,
                waits=options.waits,
                only=options.only,
            )
        )
        options.out.write_text(json.dumps({**started, "rows": rows}, indent=1) + "\n")

    if options.url:
        run(Site(options.url, options.key), lambda: 0)
    else:
        with _site_of_its_own() as (site, memory_of):
            run(site, memory_of)


if __name__ == "__main__":
    main()
