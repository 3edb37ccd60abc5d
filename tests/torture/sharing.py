"""Measurement of how long a team waits for single pictures while another team has a large batch and polls its jobs."""

from __future__ import annotations

import io
import threading
import zipfile
from statistics import quantiles

import requests

from tests.torture.figures import Figure
from tests.torture.site import TorturedSite, Watch, wait_until
from tests.torture.traffic import Traffic, picture


def fair_sharing(site: TorturedSite, *, batch: int, pollers: int, pictures: int) -> list[Figure]:
    """Measure how long single pictures take on an idle site and under the load of another team; return the figures.

    The figures include the 95th percentile of both times, and their ratio. batch: the number of pictures of the other
    team. pollers: the number of the other team's polling clients. pictures: the number of measured pictures.
    """
    title = "Fair sharing"
    watch, alone, beside = Watch(site), Traffic(site), Traffic(site)
    _, other = site.stack.create_key(team="Batches")
    headers = {"Authorization": f"Bearer {other}"}
    idle_s = [_took(alone) for _ in range(pictures)]
    jobs = [_submit_zip(site, headers, min(500, batch - start), start) for start in range(0, batch, 500)]
    ended = threading.Event()
    polls: list[tuple[int, int]] = []
    threads = [
        threading.Thread(target=_poller, args=(site, headers, jobs[n % len(jobs)], ended, polls), daemon=True)
        for n in range(pollers)
    ]
    with watch.running():
        for thread in threads:
            thread.start()
        beside_s = [_took(beside) for _ in range(pictures)]
        ended.set()
        for thread in threads:
            thread.join(60)
    for job in jobs:
        requests.post(f"{site.url}/api/jobs/{job}/cancel", headers=headers, timeout=120)
    wait_until(lambda: not site.query("SELECT count(*) FROM jobs_jobimage WHERE status = 'running'")[0][0], 60)
    durations = _durations(site)
    one_s = _p95(durations) if durations else 0.0
    idle, busy = _p95(idle_s), _p95(beside_s)
    details = {"idle_p95_s": round(idle, 2), "beside_p95_s": round(busy, 2), "one_picture_s": round(one_s, 2)}
    largest = max((size for _, size in polls), default=0)
    return [
        Figure(f"{title}: p95 of a single picture, alone", round(idle, 2), "s"),
        Figure(
            f"{title}: p95 beside a batch of {batch} and {pollers} pollers",
            round(busy, 2),
            "s",
            round(2 * idle + one_s, 2),
            details=details,
        ),
        Figure(f"{title}: largest answer to a poll", round(largest / 1024, 1), "KB", 64.0),
        Figure(f"{title}: polls", len(polls)),
        *beside.figures(title),
        *watch.figures(title),
    ]


def _took(traffic: Traffic) -> float:
    sent = traffic.waits()
    return (sent.ended or float("inf")) - sent.started


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def _durations(site: TorturedSite) -> list[float]:
    """Return the seconds that the worker needed for each succeeded picture."""
    rows = site.query("SELECT json_extract(timings_ms, '$.total') FROM jobs_jobimage WHERE status = 'succeeded'")
    return [row[0] / 1000 for row in rows if row[0]]


def _submit_zip(site: TorturedSite, headers: dict[str, str], count: int, start: int) -> str:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            archive.writestr(f"batch-{start + number}.jpg", picture(10_000_000 + start + number, 160))
    files = {"zip": ("batch.zip", file.getvalue())}
    answer = requests.post(f"{site.url}/api/jobs/", files=files, headers=headers, timeout=600)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _poller(
    site: TorturedSite, headers: dict[str, str], job: str, ended: threading.Event, polls: list[tuple[int, int]]
) -> None:
    """Request a job once per second over one connection, with If-None-Match, until the event `ended` is set.

    polls: a list to which the function adds the status and size of each response.
    """
    etag = ""
    with requests.Session() as session:
        while not ended.wait(1.0):
            try:
                known = headers | ({"If-None-Match": etag} if etag else {})
                answer = session.get(f"{site.url}/api/jobs/{job}/", headers=known, timeout=60)
            except requests.RequestException:
                continue
            etag = answer.headers.get("ETag", etag)
            polls.append((answer.status_code, len(answer.content)))
