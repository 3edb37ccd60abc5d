"""Measurements on a running site: single pictures, batches, clients, polling clients, the editor, and memory.

Each measuring function returns its measured values as figures.
"""

from __future__ import annotations

import datetime as dt
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.bench import machine, mixed
from tests.bench.figures import Figure, percentile
from tests.bench.sizes import Sizes
from tests.stack import Api, Stack

WARM_UP = 3
ALLOWED = {200, 202, 429, 503}
POLLS_A_SECOND = 20
POLLERS = 20  # threads; each acts for fifty pollers that send one request in fifty seconds
_JOB_TIMEOUT_S = 600.0


@dataclass
class Site:
    """A running site, and results of earlier sections of the benchmark that later sections use.

    single_ms: the time of one picture. batch_rate: pictures per second in a batch. pictures: the number of pictures
    sent so far. rss_mb: the memory of each process when `note_memory` was called. pictures_at_rss: the value of
    `pictures` at that time.
    """

    stack: Stack
    sizes: Sizes = field(default_factory=Sizes)
    single_ms: float = 0.0
    batch_rate: float = 0.0
    pictures: int = 0
    rss_mb: dict[int, float] = field(default_factory=dict)
    pictures_at_rss: int = 0

    @property
    def api(self) -> Api:
        return self.stack.api()


def single(site: Site) -> list[Figure]:
    """Measure the response times of single 1080p photos, sent one after the other, and the times of the stages."""
    photos = [mixed.picture(mixed.FULL_HD, number) for number in range(WARM_UP + site.sizes.single)]
    took_ms, model_ms = sequence(site, photos)
    took_ms, model_ms = took_ms[WARM_UP:], model_ms[WARM_UP:]
    site.single_ms = statistics.median(took_ms)
    other_ms = statistics.median(whole - model for whole, model in zip(took_ms, model_ms, strict=True))
    stages = site.api.get(f"/api/jobs/?page_size={site.sizes.single}").json()["results"]
    spent = [job["images"][0]["timings_ms"] for job in stages]
    found = [
        Figure("single.median", "1080p over HTTP, median", site.single_ms, "ms", 150),
        Figure("single.p95", "1080p over HTTP, p95", percentile(took_ms, 95), "ms", 220),
        Figure("single.not_model", "of it everything except the model, median", other_ms, "ms", 70),
    ]
    for stage in ("queue", "fetch", "decode", "model", "post", "encode", "total"):
        median_ms = statistics.median(one.get(stage, 0.0) for one in spent)
        found.append(Figure(f"single.{stage}", f"of it stage `{stage}`, median", median_ms, "ms"))
    return found


def large(site: Site) -> list[Figure]:
    """Measure the response times for photos of 12 and 50 megapixels with PNG and WebP output, and the peak memory."""
    found = []
    for name, size, factor in (("12mp", (4000, 3000), 3), ("50mp", (8660, 5773), 8)):
        photo = mixed.picture(size)
        for kind in ("png", "webp"):
            took_ms = [timed(site, photo, kind) for _ in range(site.sizes.large_rounds)]
            what = f"{name[:2]} MP JPEG to {kind.upper()}, in 1080p times"
            median_ms = statistics.median(took_ms)
            ratio = median_ms / site.single_ms if site.single_ms else None
            found.append(Figure(f"large.{name}_{kind}", what, ratio, "×", factor, note=f"{median_ms:.0f} ms"))
    peaks = {pid: machine.peak_mb(pid) for pid in site.stack.processes("python")}
    pid = max(peaks, key=lambda one: peaks[one])
    found.append(Figure("large.peak", "peak memory at 50 MP, largest process", peaks[pid], "MB", 1024))
    return found


def batch(site: Site) -> list[Figure]:
    """Measure the pictures per second, first with photos sent one at a time, then with many photos in one job."""
    photos = mixed.mixture(site.sizes.batch)
    took_ms, _ = sequence(site, photos[: site.sizes.one_by_one])
    alone = 1000 * len(took_ms) / sum(took_ms)
    job = ended(site, submitted(site, mixed.zipped(photos)))
    seconds = span_s(job)
    site.batch_rate = site.sizes.batch / seconds
    workers = len(site.api.get("/health").json()["workers"]) or 1
    busy = model_ms_of(site, job) / 1000 / seconds / workers
    note_memory(site)
    return [
        Figure("batch.rate", f"{site.sizes.batch} mixed photos in one job", site.batch_rate, "/s"),
        Figure("batch.busy", "of it model busy", 100 * busy, "%", 85, at_most=False, note=f"workers: {workers}"),
        Figure("batch.alone", "one at a time", alone, "/s"),
        Figure("batch.gain", "batch against one at a time", site.batch_rate / alone, "×", 1.8, at_most=False),
    ]


def clients(site: Site) -> list[Figure]:
    """Measure the pictures per second with different numbers of clients that wait for their pictures."""
    found = []
    for count, total in site.sizes.clients.items():
        photos = mixed.mixture(total, start=1000 * count)
        share = [photos[number::count] for number in range(count)]
        statuses: Counter[int] = Counter()
        took_ms: list[float] = []
        started = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            for some_statuses, some_ms in pool.map(lambda some: _client(site, some), share):
                statuses += some_statuses
                took_ms += some_ms
        rate = statuses[200] / (time.perf_counter() - started)
        site.pictures += statuses[200]
        target = 90.0 if count >= 8 else None
        percent = 100 * rate / site.batch_rate if site.batch_rate else None
        said = ", ".join(f"{number} × {status}" for status, number in sorted(statuses.items()))
        who = "1 client" if count == 1 else f"{count} clients"
        what = f"{who}, share of the batch rate"
        found.append(Figure(f"clients.{count}", what, percent, "%", target, at_most=False, note=said))
        found.append(Figure(f"clients.{count}_p95", f"{who}, p95", percentile(took_ms, 95), "ms"))
        strange = sum(number for status, number in statuses.items() if status not in ALLOWED)
        if strange:
            found.append(Figure(f"clients.{count}_other", f"{who}, other statuses", float(strange), "", 0))
    return found


def _client(site: Site, photos: Sequence[bytes]) -> tuple[Counter[int], list[float]]:
    statuses: Counter[int] = Counter()
    took_ms = []
    api = site.stack.api()
    for photo in photos:
        started = time.perf_counter()
        response = posted(api, photo, "png")
        took_ms.append((time.perf_counter() - started) * 1000)
        statuses[response.status_code] += 1
    return statuses, took_ms


def interactive(site: Site) -> list[Figure]:
    """Measure the response times of single pictures, first on an idle site and then during a large batch."""
    photos = [mixed.picture(mixed.FULL_HD, 5000 + number) for number in range(2 * site.sizes.interactive)]
    idle_ms = [timed(site, photo, "png") for photo in photos[: site.sizes.interactive]]
    small = [mixed.picture(mixed.SMALL, 6000 + number) for number in range(site.sizes.beside)]
    job = submitted(site, mixed.zipped(small))
    busy_ms = [timed(site, photo, "png") for photo in photos[site.sizes.interactive :]]
    state = site.api.get(f"/api/jobs/{job}/?images_page_size=1").json()
    if state["status"] not in ("queued", "running"):
        raise RuntimeError("the batch ended before the interactive pictures did")
    site.api.post(f"/api/jobs/{job}/cancel")
    site.pictures += state["images_succeeded"]
    limit_ms = 2 * statistics.median(idle_ms) + statistics.median(idle_ms)
    return [
        Figure("interactive.idle", "one interactive picture, idle, median", statistics.median(idle_ms), "ms"),
        Figure(
            "interactive.p95",
            f"during a batch of {site.sizes.beside}, p95",
            percentile(busy_ms, 95),
            "ms",
            limit_ms,
            note="target: twice idle and one picture",
        ),
    ]


def pollers(site: Site) -> list[Figure]:
    """Measure the response time of a poll, and how much a batch slows down while many clients poll a job."""
    finished = submitted(site, mixed.zipped(mixed.mixture(1, start=9000)))
    ended(site, finished)
    idle_ms = sorted(_poll(site.api, finished) for _ in range(60))
    with_polls, without = [], []
    for turn in range(2):
        without.append(_batch_rate(site, 9100 + 200 * turn))
        stopping = threading.Event()
        threads = [threading.Thread(target=_polls, args=(site, finished, stopping)) for _ in range(POLLERS)]
        for thread in threads:
            thread.start()
        with_polls.append(_batch_rate(site, 9500 + 200 * turn))
        stopping.set()
        for thread in threads:
            thread.join()
    slower = 100 * (1 - statistics.mean(with_polls) / statistics.mean(without))
    return [
        Figure("polls.slower", "1,000 pollers, 20/s together: work slowed by", max(0.0, slower), "%", 10),
        Figure("polls.ms", "a poll, median over HTTP on a quiet site", statistics.median(idle_ms), "ms", 5),
    ]


def _batch_rate(site: Site, start: int) -> float:
    count = site.sizes.poll_batch
    return count / span_s(ended(site, submitted(site, mixed.zipped(mixed.mixture(count, start=start)))))


def _polls(site: Site, job: str, stopping: threading.Event) -> None:
    api = site.stack.api()
    while not stopping.wait(POLLERS / POLLS_A_SECOND):
        _poll(api, job)


def _poll(api: Api, job: str) -> float:
    started = time.perf_counter()
    api.get(f"/api/jobs/{job}/").raise_for_status()
    return (time.perf_counter() - started) * 1000


def editor(site: Site) -> list[Figure]:
    """Measure how long the editor's request takes when a slider moves. The picture has 24 megapixels."""
    job = submitted(site, mixed.zipped([mixed.picture((6000, 4000), 12_000)]))
    ended(site, job)
    api, took_ms = site.api, []
    for number in range(site.sizes.slider):
        started = time.perf_counter()
        response = api.post(
            f"/api/jobs/{job}/variants",
            json={"threshold": 5 + number, "format": "png", "for_screen": True},
        )
        response.raise_for_status()
        took_ms.append((time.perf_counter() - started) * 1000)
    return [Figure("editor.slider", "slider to picture, 24 MP, median", statistics.median(took_ms[1:]), "ms", 150)]


def growth(site: Site) -> list[Figure]:
    """Measure how much the memory of each process grows while the site processes many pictures."""
    if not site.rss_mb:
        note_memory(site)
    missing = site.sizes.growth - (site.pictures - site.pictures_at_rss)
    while missing > 0:
        count = min(500, missing)
        small = [mixed.picture(mixed.SMALL, 20_000 + missing + number) for number in range(count)]
        ended(site, submitted(site, mixed.zipped(small)))
        missing -= count
    grown = {pid: machine.rss_mb(pid) - before for pid, before in site.rss_mb.items() if machine.rss_mb(pid)}
    pid = max(grown, key=lambda one: grown[one])
    note = f"{site.pictures - site.pictures_at_rss} pictures; `{short_name(pid)}`"
    most = max(0.0, grown[pid])
    return [Figure("memory.growth", "memory growth, the process that grew most", most, "MB", 50, note=note)]


def note_memory(site: Site) -> None:
    """Store the current memory of each process in `site`, as the start value for `growth`."""
    site.rss_mb = {pid: machine.rss_mb(pid) for pid in site.stack.processes("python")}
    site.pictures_at_rss = site.pictures


def short_name(pid: int) -> str:
    """Return the role of a process of the site, taken from its command line."""
    words = machine.command_of(pid).split()
    for word in ("--child", "run", "work"):
        if word in words:
            following = words[words.index(word) + 1 :] if word == "--child" and "work" in words else []
            return f"work {following[0]}" if following else "web" if "webserver" in " ".join(words) else word
    if any("webserver" in word for word in words):
        return "web server"
    return " ".join(Path(word).name for word in words[-2:])[-40:]


# Requests -------------------------------------------------------------------------------------------------------------


def posted(api: Api, photo: bytes, kind: str) -> requests.Response:
    return api.post(
        "/api/jobs/",
        files={"image": ("photo.jpg", photo, "image/jpeg")},
        data={"format": kind},
        headers={"Accept": f"image/{kind}"},
    )


def timed(site: Site, photo: bytes, kind: str) -> float:
    """Send a photo and return the time until the complete cutout has arrived, in milliseconds. kind: a file format."""
    started = time.perf_counter()
    response = posted(site.api, photo, kind)
    took_ms = (time.perf_counter() - started) * 1000
    if response.status_code != 200:
        raise RuntimeError(f"status {response.status_code}: {response.text[:200]}")
    site.pictures += 1
    return took_ms


def sequence(site: Site, photos: Sequence[bytes]) -> tuple[list[float], list[float]]:
    """Send photos one after the other; return the times of the requests and the times of the model, in milliseconds."""
    api, took_ms, model_ms = site.api, [], []
    for photo in photos:
        started = time.perf_counter()
        response = posted(api, photo, "png")
        took_ms.append((time.perf_counter() - started) * 1000)
        if response.status_code != 200:
            raise RuntimeError(f"status {response.status_code}: {response.text[:200]}")
        site.pictures += 1
        newest = api.get("/api/jobs/?page_size=1").json()["results"][0]
        model_ms.append(newest["images"][0]["timings_ms"]["model"])
    return took_ms, model_ms


def submitted(site: Site, archive: bytes) -> str:
    """Submit a zip of pictures; return the job's id."""
    response = site.api.post("/api/jobs/", files={"zip": ("photos.zip", archive, "application/zip")})
    if response.status_code != 202:
        raise RuntimeError(f"status {response.status_code}: {response.text[:200]}")
    return str(response.json()["id"])


def ended(site: Site, job: str) -> dict[str, Any]:
    """Wait for a job's end and return its JSON. Raise RuntimeError if a picture fails or the job takes too long."""
    deadline = time.monotonic() + _JOB_TIMEOUT_S
    while time.monotonic() < deadline:
        document = site.api.get(f"/api/jobs/{job}/?wait=30&images_page_size=1").json()
        if document["status"] in ("succeeded", "failed", "canceled"):
            if document["images_failed"] or document["status"] != "succeeded":
                raise RuntimeError(f"job {job} ended as {document['status']}, {document['images_failed']} failed")
            site.pictures += document["images_total"]
            return document
    raise RuntimeError(f"job {job} did not end in time")


def span_s(job: dict[str, Any]) -> float:
    """Return the seconds from the creation of a job to its end, from the times that the site has stored."""
    began, end = (dt.datetime.fromisoformat(job[name]) for name in ("created_at", "finished_at"))
    return (end - began).total_seconds()


def model_ms_of(site: Site, job: dict[str, Any]) -> float:
    """Return the model's time for all pictures of a job, in milliseconds."""
    total, page = 0.0, 1
    while True:
        shown = site.api.get(f"/api/jobs/{job['id']}/?images_page={page}&images_page_size=100").json()
        total += sum(image["timings_ms"].get("model", 0.0) for image in shown["images"])
        if not shown["images_next"]:
            return total
        page += 1
