"""Helpers that send many requests at the same time and count the responses.

A response is unexpected if `is_allowed` rejects its status. Under attack, the site must not send unexpected responses.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from tests.torture.figures import Figure
from tests.torture.site import TorturedSite, Watch
from tests.torture.traffic import is_allowed

Send = Callable[[], int]


class Attack:
    """An attack on a site: it sends requests at the same time and counts the responses.

    title: the first words in the names of its figures. statuses: the number of responses by status. strange: a text for
    each unexpected response. took_s: the duration of each call of `at_once` in seconds, by its name. watch: the record
    of the site's response times and memory.
    """

    def __init__(self, site: TorturedSite, title: str) -> None:
        self.site, self.title = site, title
        self.watch = Watch(site)
        self.statuses: Counter[int] = Counter()
        self.strange: list[str] = []
        self.took_s: dict[str, float] = {}
        self._lock = threading.Lock()

    def post(self, path: str, what: str = "", **values: Any) -> int:
        """Send a request and return the response's status; 0 if the site closed the connection without a response.

        Count the status, and add a text to `strange` if the response is unexpected. what: the name of the request in
        this text; the default is the path. values: arguments of `requests.request`, such as `data` or `headers`. The
        method is POST, unless `values` contains `method`.
        """
        headers = {"Authorization": f"Bearer {self.site.secret}"} | values.pop("headers", {})
        try:
            answer = requests.request(
                values.pop("method", "POST"), self.site.url + path, headers=headers, timeout=300, **values
            )
            status, text = answer.status_code, answer.text[:200]
        except requests.RequestException as error:
            status, text = 0, str(error)[:200]
        with self._lock:
            self.statuses[status] += 1
            if status and not is_allowed(status):
                self.strange.append(f"{what or path}: {status} {text}")
        return status

    def count(self, status: int) -> None:
        """Count the status of a request that another function has sent, but do not change `strange`."""
        with self._lock:
            self.statuses[status] += 1

    def at_once(self, name: str, sends: Iterable[Send], clients: int = 8) -> list[int]:
        """Send all requests from `clients` threads and return the statuses in the order of the requests.

        name: the name under which the total time is stored. sends: functions; each sends a request and returns its
        status.
        """
        started = time.monotonic()
        with ThreadPoolExecutor(clients) as threads:
            statuses = list(threads.map(lambda send: send(), sends))
        self.took_s[name] = round(time.monotonic() - started, 1)
        return statuses

    def figures(self, *more: Figure) -> list[Figure]:
        details = {
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "seconds": self.took_s,
            "strange": self.strange[:20],
        }
        answers = Figure(f"{self.title}: requests sent", sum(self.statuses.values()), details=details)
        strange = Figure(f"{self.title}: other answers than 200, 202, 4xx and 503", len(self.strange), "", 0)
        return [answers, strange, *more, *self.watch.figures(self.title)]
