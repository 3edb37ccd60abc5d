"""A program that requests the health of a site repeatedly, in its own process, and prints the response times as JSON.

python -m tests.torture.probe http://127.0.0.1:8000/health/live

It stops when its standard input is closed.
"""

from __future__ import annotations

import http.client
import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_EVERY_S = 0.1
_TIMEOUT_S = 120.0


def probe(url: str) -> float:
    """Request the URL with a new connection and return the response time in milliseconds.

    Return infinity if there is no response, or if its status is neither 200 nor 503.
    """
    parts = urlsplit(url)
    started = time.perf_counter()
    connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", parts.path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return float("inf")
    finally:
        connection.close()
    return (time.perf_counter() - started) * 1000 if status in (200, 503) else float("inf")


def summary(latencies_ms: list[float]) -> dict[str, float]:
    """Return the count, median, 95th and 99th percentile, and maximum of response times in milliseconds."""
    ordered = sorted(latencies_ms)
    if not ordered:
        return {"count": 0}

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)

    return {"count": len(ordered), "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": round(ordered[-1], 1)}


@contextmanager
def probing(url: str) -> Iterator[dict[str, float]]:
    """Request a URL repeatedly during the block; yield a dict that receives the results at the end of the block."""
    figures: dict[str, float] = {}
    command = [sys.executable, "-m", "tests.torture.probe", url]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield figures
    finally:
        printed, _ = process.communicate(timeout=_TIMEOUT_S * 2)
        figures |= json.loads(printed)


def main(url: str) -> None:
    latencies = []
    while not select.select([sys.stdin], [], [], _EVERY_S)[0]:
        latencies.append(probe(url))
    json.dump(summary(latencies), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
