"""Fixtures of the API tests: workers that process pictures immediately, later or never, and a server with pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from pytest_django import Settings

from jobs.models import Job
from jobs.work.registry import Task, run_task
from tests.api.content_checks import serving_checks
from tests.api.picture_server import PictureServer, serving_pictures
from tests.fakes import EmptyEngine, FakeEngine, answering


@pytest.fixture
def instant_worker(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Process each picture immediately, inside the request that submits it; return the fake inference engine."""
    return _work_at_once(monkeypatch, FakeEngine())


@pytest.fixture
def blind_worker(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Process each picture immediately, with a fake inference engine that finds no subject; return the engine."""
    return _work_at_once(monkeypatch, EmptyEngine())


@pytest.fixture
def held_worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Leave the pictures in the queue; return a function that processes all queued pictures when the test calls it."""
    from jobs.work import tasks

    waiting: list[tuple[Callable[[str], None], UUID]] = []

    def keep(task: Callable[[str], None]) -> Callable[..., None]:
        return lambda image_ids, *, urgency: waiting.extend((task, image_id) for image_id in image_ids)

    _work_at_once(monkeypatch, FakeEngine())
    monkeypatch.setattr("jobs.work.queue.enqueue_images", keep(tasks.image_process))
    monkeypatch.setattr("jobs.work.queue.enqueue_downloads", keep(tasks.image_download))

    def work() -> None:
        while waiting:
            task, image_id = waiting.pop(0)
            task(str(image_id))

    return work


@pytest.fixture
def idle_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave all pictures in the queue."""
    for name in ("enqueue_images", "enqueue_downloads"):
        monkeypatch.setattr(f"jobs.work.queue.{name}", lambda image_ids, *, urgency: None)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch, idle_worker: None) -> Callable[[Callable[[Job], object]], None]:
    """Leave all pictures in the queue; return a function that sets an action.

    When a request starts to wait for the end of a job, the action is called with the job, and the wait ends.
    """

    def arrange(action: Callable[[Job], object]) -> None:
        @contextmanager
        def completion_of(job_id: UUID) -> Iterator[Callable[[float], object]]:
            yield lambda timeout_s: action(Job.objects.get(pk=job_id))

        monkeypatch.setattr("jobs.work.queue.completion_of", completion_of)

    return arrange


@pytest.fixture(scope="session")
def picture_server() -> Iterator[PictureServer]:
    """Yield a server with pictures that the running site can download."""
    with serving_pictures() as server:
        yield server


@pytest.fixture
def clickable_weights(tmp_path: Path, settings: Settings) -> None:
    """Activate a model whose manifest says that it accepts points (clicks). The weight file itself does not exist."""
    weights = tmp_path / "clickable.safetensors"
    weights.with_suffix(".json").write_text(json.dumps({"family": "keyline", "points": True}))
    settings.MATTING_WEIGHTS = weights


@pytest.fixture
def checking_service() -> Iterator[str]:
    """Yield the URL of a content check that refuses the pictures of Alice's team.

    A content check is a service of the operator that may refuse pictures.
    """
    with serving_checks() as url:
        yield url


def _work_at_once(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine) -> FakeEngine:
    from jobs.work import serving as _all_tasks  # noqa: F401
    from jobs.work import tasks

    def at_once(task: Callable[[str], None]) -> Callable[..., None]:
        def work(image_ids: Iterable[UUID], *, urgency: str) -> None:
            for image_id in image_ids:
                task(str(image_id))

        return work

    def run(task: Task, *args: object, queue_name: str, row_id: object = None, **values: object) -> None:
        run_task(task.name, *args, **values)

    monkeypatch.setattr("jobs.inference.engines.engine_for", lambda image: answering(engine))
    monkeypatch.setattr("jobs.work.queue.enqueue_images", at_once(tasks.image_process))
    monkeypatch.setattr("jobs.work.queue.enqueue_downloads", at_once(tasks.image_download))
    monkeypatch.setattr("jobs.work.queue.enqueue_task", run)
    # The test's own transaction never commits.
    monkeypatch.setattr("django.db.transaction.on_commit", lambda action, using=None, robust=False: action())
    return engine
