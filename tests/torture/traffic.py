"""Clients that send pictures and repeat failed requests, and a comparison of the pictures with the site's database."""

from __future__ import annotations

import io
import itertools
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
import requests
from PIL import Image

from tests import photos
from tests.api.picture_server import PictureServer, serving_pictures
from tests.torture.figures import Figure
from tests.torture.site import TorturedSite, wait_until

_TIMEOUT_S = 40
_GIVE_UP_S = 300  # a response delayed by a busy machine is not a loss
_numbers = itertools.count(1)


def picture(number: int, side: int = 320) -> bytes:
    """Return a JPEG with `number` in its comment, so that each number gives different bytes."""
    base = _bases.get(side) or _bases.setdefault(side, _base(side))
    text = f"picture {number}".encode()
    return base[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + base[2:]


_bases: dict[int, bytes] = {}


def _base(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photos.astronaut()).resize((side, side)).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


@dataclass
class Sent:
    """One picture that a client sends. `name` is its name in the site's database."""

    name: str
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    statuses: list[int] = field(default_factory=list)


class Traffic:
    """Clients that send pictures to the attacked site. Each method that returns a Sent sends a picture in another way.

    A client repeats a request after a connection error or an error status, until it succeeds or five minutes have
    passed. The HTTP status of each attempt is counted.
    """

    def __init__(self, site: TorturedSite) -> None:
        self.site = site
        self.sent: list[Sent] = []
        self.deleted: set[str] = set()  # the names of pictures that the test deletes, which are not lost
        self.statuses: Counter[int] = Counter()
        self._lock = threading.Lock()
        self.served: PictureServer | None = None

    # One picture ------------------------------------------------------------------------------------------------------

    def waits(self) -> Sent:
        """Send a picture and wait for its cutout."""
        return self._until_answered(self._post_waiting, side=320)

    def large(self) -> Sent:
        """Send a picture that is so large that the web server checks its pixels in a separate process."""
        return self._until_answered(self._post_waiting, side=1280)

    def polls(self) -> Sent:
        """Submit a picture, and request its job repeatedly until the job has ended."""
        return self._until_answered(self._submit_and_poll, side=320)

    def by_url(self) -> Sent:
        """Submit the URL of a picture, from which the site downloads the picture."""
        return self._until_answered(self._by_url, side=320)

    def varies(self) -> Sent:
        """Send a picture, and request a variant of it (a rendering with other options)."""
        return self._until_answered(self._with_variant, side=320)

    def _until_answered(self, send: Callable[[Sent, bytes], bool], *, side: int) -> Sent:
        number = next(_numbers)
        sent = Sent(f"torture-{number}.jpg")
        with self._lock:
            self.sent.append(sent)
        data = picture(number, side)
        while time.monotonic() - sent.started < _GIVE_UP_S:
            done = False
            with suppress(requests.RequestException, ValueError, KeyError):
                done = send(sent, data)
            if done:
                sent.ended = time.monotonic()
                return sent
            time.sleep(0.1)
        return sent

    def _request(self, sent: Sent, method: str, path: str, **values: object) -> requests.Response:
        url = path if path.startswith("http") else self.site.url + path
        headers = {"Authorization": f"Bearer {self.site.secret}"} | values.pop("headers", {})
        response = requests.request(method, url, headers=headers, timeout=_TIMEOUT_S, **values)
        with self._lock:
            self.statuses[response.status_code] += 1
        sent.statuses.append(response.status_code)
        if response.status_code in (429, 503):
            time.sleep(min(1.0, float(response.headers.get("Retry-After", 1))))
        return response

    def _post_waiting(self, sent: Sent, data: bytes) -> bool:
        files = {"image": (sent.name, data)}
        response = self._request(sent, "POST", "/api/jobs/?wait=30", files=files, headers={"Accept": "image/png"})
        return response.status_code == 200 and response.content.startswith(b"\x89PNG")

    def _submit_and_poll(self, sent: Sent, data: bytes) -> bool:
        response = self._request(sent, "POST", "/api/jobs/", files={"image": (sent.name, data)})
        return response.status_code in (200, 202) and self._polled(sent, response.json()["id"])

    def _by_url(self, sent: Sent, data: bytes) -> bool:
        assert self.served is not None
        url = self.served.add(sent.name, data)
        response = self._request(sent, "POST", "/api/jobs/", json={"image_url": url})
        return response.status_code in (200, 202) and self._polled(sent, response.json()["id"])

    def _polled(self, sent: Sent, job_id: str) -> bool:
        while time.monotonic() - sent.started < _GIVE_UP_S:
            with suppress(requests.RequestException):
                response = self._request(sent, "GET", f"/api/jobs/{job_id}/?wait=10")
                if response.status_code == 200 and response.json()["status"] in ("succeeded", "failed", "canceled"):
                    return bool(response.json()["status"] == "succeeded")
                if response.status_code == 404:
                    return False
            time.sleep(0.1)
        return False

    def _with_variant(self, sent: Sent, data: bytes) -> bool:
        response = self._request(sent, "POST", "/api/jobs/?wait=30", files={"image": (sent.name, data)})
        if response.status_code not in (200, 202) or not self._polled(sent, response.json()["id"]):
            return False
        path = f"/api/jobs/{response.json()['id']}/variants"
        while time.monotonic() - sent.started < _GIVE_UP_S:
            with suppress(requests.RequestException):
                variant = self._request(sent, "POST", path, json={"erosion": 1})
                if variant.status_code in (200, 201):
                    return True
            time.sleep(0.1)
        return False

    # Many ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def running(self, *ways: str) -> Iterator[None]:
        """Let one client for each way send pictures during the block; at the end, wait for their last responses.

        ways: names of methods that send a picture, such as `waits`.
        """
        ended = threading.Event()

        def client(way: str) -> None:
            while not ended.is_set():
                getattr(self, way)()

        with serving_pictures() as self.served:
            threads = [threading.Thread(target=client, args=(way,), daemon=True) for way in ways]
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                ended.set()
                for thread in threads:
                    thread.join(_GIVE_UP_S + 60)

    # The sums -----------------------------------------------------------------------------------------------------

    def figures(self, name: str) -> list[Figure]:
        """Wait until all jobs have ended; compare the sent pictures with the site's data, and return the figures.

        name: the prefix of the figures' names.
        """
        open_jobs = "SELECT count(*) FROM jobs_job WHERE status NOT IN ('succeeded', 'failed', 'canceled')"
        wait_until(lambda: self.site.query(open_jobs)[0][0] == 0, 120)
        unended = self.site.query(open_jobs)[0][0]
        rows = self.site.query(
            "SELECT i.name, i.status, i.error_code,"
            " (SELECT coalesce(sum(u.pictures), 0) FROM jobs_usageentry u WHERE u.job_id = i.job_id)"
            " FROM jobs_jobimage i"
        )
        names = {sent.name for sent in self.sent} - self.deleted
        ours = [row for row in rows if row[0] in names]
        succeeded = Counter(row[0] for row in ours if row[1] == "succeeded")
        charged: Counter[str] = Counter()
        for row in ours:
            charged[row[0]] += row[3]
        unanswered = [sent.name for sent in self.sent if sent.ended is None]
        lost = [name for name in names if not succeeded[name]]
        twice = [name for name in names if charged[name] > 1]
        wrong = [row[:3] for row in ours if row[1] == "failed"]
        strange = {status: n for status, n in self.statuses.items() if not is_allowed(status)}
        seen = {"statuses": {str(status): n for status, n in sorted(self.statuses.items())}}
        return [
            Figure(f"{name}: pictures sent", len(self.sent), details=seen),
            Figure(f"{name}: lost", len(set(lost) | set(unanswered)) + unended, "", 0, details={"names": lost[:20]}),
            Figure(f"{name}: charged twice", len(twice), "", 0, details={"names": twice[:20]}),
            Figure(f"{name}: wrong verdicts", len(wrong), "", 0, details={"rows": [list(row) for row in wrong[:20]]}),
            Figure(f"{name}: other answers than 200, 202, 4xx and 503", sum(strange.values()), "", 0, details=seen),
        ]


def is_allowed(status: int) -> bool:
    """Return whether the site may return this status under attack: success, redirect, client error (4xx) or 503."""
    return status in (200, 201, 202, 206, 302, 303, 304, 503) or 400 <= status < 500


def noise(side: int, quality: int = 60) -> bytes:
    """Return a JPEG of random noise, which a worker processes slowly."""
    return photos.encode(np.random.default_rng(7).integers(0, 256, (side, side, 3), np.uint8), "JPEG", quality=quality)
