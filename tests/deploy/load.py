"""Load on a site during the operator's walk-through of a deployment (see walk.py): clients that send pictures."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests import photos
from tests.stack import wait_for


@dataclass
class Load:
    """Threads that send small pictures to the site, one after the other, and store the results.

    codes: the number of responses by status or error code. jobs: the succeeded jobs. faults: unexpected responses.
    """

    url: str
    secret: str
    authority: Path
    clients: int = 2
    codes: Counter[str] = field(default_factory=Counter)
    jobs: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._begun: dict[int, float] = {}
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(self.clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def wait_for_requests_begun_before_now(self) -> None:
        now = time.monotonic()
        wait_for(lambda: all(begun >= now for begun in self._begun.values()), timeout_s=120, what="a request hangs")

    def wait_for_more(self, number: int) -> None:
        """Wait until `number` more pictures have succeeded. Fail after an unexpected response."""
        target = len(self.jobs) + number
        wait_for(
            lambda: len(self.jobs) >= target or bool(self.faults),
            timeout_s=180,
            what=lambda: f"no pictures: {self.codes}",
        )
        assert not self.faults, "\n".join(self.faults[:3])

    def _send(self, number: int) -> None:
        pause = threading.Event()
        picture = 0
        while not self._stopping.is_set():
            picture += 1
            photo = photos.encode(photos.astronaut()[picture % 64 : 256 + picture % 64, number : 256 + number], "PNG")
            self._begun[number] = time.monotonic()
            try:
                response = send(self, photo)
                self.codes[str(response.status_code)] += 1
                body = response.json()
                if response.status_code in (200, 201) and body["status"] == "succeeded":
                    self.jobs.append(body["id"])
                else:
                    told = [body.get("error"), [image.get("error") for image in body.get("images", [])]]
                    self.faults.append(f"{response.status_code} {body.get('status')} {told} {body.get('detail', '')}")
            except (requests.RequestException, ValueError, KeyError) as error:
                self.faults.append(repr(error)[:300])
            self._begun[number] = float("inf")
            pause.wait(1.0)


def send(site: Load, photo: bytes) -> requests.Response:
    """Submit a picture, wait up to 60 seconds for its result, and return the response."""
    return requests.post(
        f"{site.url}/api/jobs/?wait=60",
        files={"image": ("photo.png", photo)},
        headers={"Authorization": f"Bearer {site.secret}"},
        verify=str(site.authority),
        timeout=120,
    )
