"""What `/health` shows to strangers and to signed-in users."""

from __future__ import annotations

import pytest
from django.test import Client

from jobs.work import queue
from tests.cast import Person


@pytest.fixture
def worker() -> None:
    """A worker for pictures that lives."""
    queue.beat("gpu-7-42", {"role": "pictures", "host": "gpu-7.internal", "runtime": "torch-cpu", "model": "keyline"})


@pytest.mark.usefixtures("worker")
def test_a_stranger_hears_how_it_is_but_no_hosts_name(db: None) -> None:
    answer = Client().get("/health")

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["workers"] == [{"role": "pictures", "runtime": "torch-cpu", "model": "keyline", "version": ""}]


@pytest.mark.usefixtures("worker")
def test_who_is_signed_in_sees_the_hosts(alice: Person) -> None:
    assert alice.browser().get("/health").json()["workers"][0]["host"] == "gpu-7.internal"


@pytest.mark.usefixtures("worker")
def test_a_database_that_is_away_is_said_all_the_same(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = alice.browser()
    monkeypatch.setattr("jobs.api.health._database_answers", lambda: False)

    answer = browser.get("/health")

    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "failed")
    assert "host" not in answer.json()["workers"][0]
