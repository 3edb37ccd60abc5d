"""Tests of the health routes: whether the process runs, whether it accepts submissions, and whether the site works."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from jobs.models import Job
from jobs.running import readiness
from jobs.work import first_picture, queue, tasks
from jobs.work.registry import Task
from tests.cast import Person
from tests.fakes import FakeEngine


@pytest.fixture
def worker() -> None:
    """Record a heartbeat of a running worker with a loaded model, as a real worker does automatically."""
    state = {"role": "pictures", "host": "gpu-7.internal", "runtime": "torch-cuda", "model": "keyline", "version": "1a"}
    queue.beat("gpu-7-42", state | {"device": "cuda", "keyline": "1.0.0", "beat_at": time.time()})


@pytest.mark.usefixtures("worker")
def test_a_stranger_sees_the_state_but_no_host_name(db: None) -> None:
    response = Client().get("/health")

    assert (response.status_code, response.json()["status"]) == (200, "ok")
    assert response.json()["workers"] == [
        {"role": "pictures", "runtime": "torch-cuda", "model": "keyline", "version": "1a", "device": "cuda"}
    ]


@pytest.mark.usefixtures("worker")
def test_a_signed_in_user_sees_every_worker_with_host_versions_and_heartbeat(alice: Person) -> None:
    queue.beat("web-1-7", {"role": "webhooks", "host": "web-1.internal"})

    workers = alice.browser().get("/health").json()["workers"]

    assert {worker["host"] for worker in workers} == {"gpu-7.internal", "web-1.internal"}
    [with_model] = [worker for worker in workers if worker["role"] == "pictures"]
    assert with_model["keyline"] == "1.0.0"
    assert abs(with_model["beat_at"] - time.time()) < 60


@pytest.mark.usefixtures("worker")
def test_a_host_without_an_active_model_is_named_to_users_only(alice: Person) -> None:
    queue.beat("gpu-8-1", {"role": "pictures", "host": "gpu-8.internal", "missing": ["large"]})
    queue.beat("gpu-8-2", {"role": "pictures", "host": "gpu-8.internal", "missing": ["large"]})

    shown, known = Client().get("/health"), alice.browser().get("/health")

    assert shown.status_code == known.status_code == 503
    assert problem(shown) == "A worker lacks an active model: large."
    assert problem(known) == "A host lacks an active model: gpu-8.internal lacks large."


def problem(response: HttpResponse) -> str:
    """Return the text about problems with weight files in the JSON response of /health."""
    return response.json()["problems"]["weights"]


def test_a_first_picture_is_cut_out_for_a_signed_request_and_leaves_nothing(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.inference.engines.engine_for_command", lambda quality: FakeEngine())

    def work(task: Task, *, queue_name: str, reply_to: str) -> None:
        assert task is first_picture.FIRST_PICTURE
        tasks.first_picture(reply_to=reply_to)

    monkeypatch.setattr(queue, "enqueue_task", work)

    response = Client().post("/health/first-picture", headers={first_picture.HEADER: first_picture.permit()})

    assert response.status_code == 200, response.content
    assert response.json()["bytes"] > 100
    assert not Job.objects.exists()
    assert not any(path.is_file() for path in Path(settings.MEDIA_ROOT).rglob("*"))


@pytest.mark.parametrize("header", ["", "x", "1:2:3"])
def test_a_first_picture_needs_a_signature(header: str) -> None:
    assert Client().post("/health/first-picture", headers={first_picture.HEADER: header}).status_code == 403
    assert Client().get("/health/first-picture").status_code == 405


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("check", ["database", "queue", "storage"])
def test_a_failed_check_is_named_with_its_reason(check: str, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = alice.browser()
    monkeypatch.setattr(readiness, f"{check}_problem", lambda: f"The {check} is away.")

    for path in ("/health", "/health/ready"):
        response = browser.get(path)

        assert response.status_code == 503
        assert response.json()["checks"][check] == "failed"
        assert response.json()["problems"] == {check: f"The {check} is away."} | (
            {"worker": response.json()["problems"]["worker"]} if (check, path) == ("queue", "/health") else {}
        )
    assert Client().get("/health/live").status_code == 200


def test_without_a_worker_the_site_is_ready_but_not_healthy(db: None) -> None:
    assert Client().get("/health/ready").status_code == 200
    response = Client().get("/health")

    assert response.status_code == 503
    assert list(response.json()["problems"]) == ["worker"]


def test_a_worker_that_cannot_load_its_model_is_reported(alice: Person) -> None:
    queue.beat("gpu-7-42", {"role": readiness.FAILED_ROLE, "host": "gpu-7", "error": "no such file"})

    stranger, user = Client().get("/health").json(), alice.browser().get("/health").json()

    assert stranger["problems"]["weights"] == "A worker cannot load its model."
    assert "no such file" not in str(stranger)
    assert user["workers"][0]["error"] == "no such file"


def test_a_full_or_read_only_storage_folder_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "LEAST_FREE_BYTES", 2**62)
    assert readiness.storage_problem() == "The disk of the storage folder is full."

    monkeypatch.setattr("os.access", lambda *_: False)
    assert readiness.storage_problem() == "The storage folder cannot be written."


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/health/ready/", "/health"])
def test_probes_come_by_ip_address_and_without_https(path: str, db: None, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True

    response = Client().get(path, headers={"host": "10.2.3.4:8000"})

    assert response.status_code in (200, 503)
    assert response.headers["Content-Type"] == "application/json"
    assert Client().get("/gallery/", headers={"host": "10.2.3.4:8000"}).status_code == 400


def test_a_probe_can_only_be_read() -> None:
    assert Client().post("/health").status_code == 405
