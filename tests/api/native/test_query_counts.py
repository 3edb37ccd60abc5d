"""Tests that common requests need exactly the number of database queries that the table in docs/work.md states."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Person

from .sent import files_of, photo

pytestmark = pytest.mark.django_db


def documented() -> dict[str, int]:
    page = (Path(settings.BASE_DIR) / "docs" / "work.md").read_text(encoding="utf-8")
    section = page.partition("## Queries per request")[2].partition("\n## ")[0]
    return {name: int(count) for name, count in re.findall(r"^\| (.+?) \| (\d+) \|", section, re.MULTILINE)}


def counted(work: Callable[[], Any]) -> int:
    """Call `work` twice and return the number of database queries of the second call; the first call fills caches."""
    work()
    with CaptureQueriesContext(connection) as queries:
        work()
    statements = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE SAVEPOINT"))]
    return len(statements)


def check(requests: dict[str, Callable[[], Any]]) -> None:
    counts = {name: counted(work) for name, work in requests.items()}
    assert counts == {name: documented().get(name) for name in counts}


def test_reading_takes_the_documented_queries(alice: Person, jpeg_bytes: bytes, instant_worker: object) -> None:
    api, browser = alice.api(), alice.browser()
    job = api.post("/api/jobs/?wait=10", {"image": photo(jpeg_bytes)}).json()
    address = f"/api/jobs/{job['id']}/"
    etag, link = api.get(address)["ETag"], files_of(job, "cutout")[0]["url"]

    check(
        {
            "`GET /health/live`": lambda: api.get("/health/live"),
            "`GET /api/jobs/{id}/`, a poll": lambda: api.get(address),
            "a poll with `If-None-Match`, unchanged": lambda: api.get(address, headers={"If-None-Match": etag}),
            "`GET /files/…` by its signed link": lambda: api.get(link),
            "the gallery": lambda: browser.get("/gallery/"),
        }
    )


def test_submitting_takes_the_documented_queries(alice: Person, jpeg_bytes: bytes, idle_worker: object) -> None:
    api = alice.api()

    check({"`POST /api/jobs/`, one picture": lambda: api.post("/api/jobs/", {"image": photo(jpeg_bytes)})})
