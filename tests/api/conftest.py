"""What the tests of every dialect can ask for."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import pytest

from tests.fakes import FakeEngine


@pytest.fixture
def instant_worker(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Process every picture with a fake engine the moment it is queued, inside the request that submits it."""
    from jobs import tasks

    engine = FakeEngine()

    def process(image_ids: Iterable[UUID], *, queue_name: str) -> None:
        for image_id in image_ids:
            tasks.image_process(str(image_id))

    monkeypatch.setattr("jobs.engine.current_engine", lambda: engine)
    monkeypatch.setattr("jobs.queue.enqueue_images", process)
    # The test's own transaction never commits.
    monkeypatch.setattr("django.db.transaction.on_commit", lambda deed, using=None, robust=False: deed())
    return engine


@pytest.fixture
def idle_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave every picture in the queue."""
    monkeypatch.setattr("jobs.queue.enqueue_images", lambda image_ids, queue_name: None)
