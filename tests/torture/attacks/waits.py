"""Attack with many waiting requests and many short requests at the same time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

import requests

from tests.torture.attacks.attack import Attack
from tests.torture.figures import Figure
from tests.torture.site import TorturedSite


def waits_and_cheap_requests(site: TorturedSite, *, waits: int, cheap: int, pollers: int) -> list[Figure]:
    """Send requests that wait for a picture, and many short requests, so that the site replaces web processes.

    The server of the picture does not respond. waits: the number of waiting requests. cheap: the number of short
    requests; about half of them poll a job. pollers: the number of clients that poll. Return the figures.
    """
    attack = Attack(site, "Waits and cheap requests")
    headers = {"Authorization": f"Bearer {site.secret}"}
    with _canary_that_keeps_silent() as port:
        body = {"image_url": f"http://127.0.0.1:{port}/a.png"}
        job = requests.post(f"{site.url}/api/jobs/", json=body, headers=headers, timeout=60).json()["id"]
        with attack.watch.running(), ThreadPoolExecutor(waits + pollers) as waiting:
            path = f"/api/jobs/{job}/"
            held = [waiting.submit(attack.post, f"{path}?wait=58", "wait", method="GET") for _ in range(waits)]
            polled = [waiting.submit(_poll, attack, path, cheap // max(1, 2 * pollers)) for _ in range(pollers)]
            attack.at_once("cheap", [partial(_cheap, attack.site, attack)] * (cheap // 100), clients=8)
            for future in polled:
                future.result()
            requests.delete(f"{site.url}{path}", headers=headers, timeout=60)
            for future in held:
                future.result()
    return attack.figures()


def _cheap(site: TorturedSite, attack: Attack) -> int:
    """Send 50 short requests over one connection, and return the last status."""
    parts = urlsplit(site.url)
    with requests.Session() as session:
        for _ in range(50):
            status = session.get(f"http://{parts.netloc}/robots.txt", timeout=120).status_code
            attack.count(status)
    return status


def _poll(attack: Attack, path: str, times: int) -> None:
    for _ in range(times):
        attack.post(path, "poll", method="GET")


@contextmanager
def _canary_that_keeps_silent() -> Iterator[int]:
    """Yield a port that accepts connections but does not respond."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield server.getsockname()[1]
