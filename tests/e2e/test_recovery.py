"""Tests that pictures are completed and charged once after a worker, the broker or the web server is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading

import numpy as np
import pytest
import requests

from tests import photos
from tests.stack import Stack, alive, wait_for

pytestmark = pytest.mark.e2e

# The guarantee is 15 s after the kill. On a machine that runs two test processes, loading the restarted model takes
# additional time.
RECOVERY_S = 120


def test_a_picture_whose_worker_is_killed_is_done_by_the_next_one_once(live_stack: Stack) -> None:
    api = live_stack.api()
    job, worker = _caught_in_the_middle(live_stack)

    os.kill(worker, signal.SIGKILL)

    ended = _ended(live_stack, job)
    assert ended["status"] == "succeeded"
    assert ended["images_succeeded"] == 1
    assert [file["kind"] for file in ended["images"][0]["files"]].count("cutout") == 1
    assert _attempts(live_stack, job) == [2]
    cutout = next(file["url"] for file in ended["images"][0]["files"] if file["kind"] == "cutout")
    assert api.get(cutout).status_code == 200
    live_stack.wait_until_healthy()


def test_a_queued_picture_survives_the_death_of_the_queue(live_stack: Stack) -> None:
    workers = live_stack.processes("--child", "pictures")
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    try:
        job = live_stack.api().post("/api/jobs/", files={"image": ("a.jpg", photos.encoded("JPEG"))}).json()["id"]
        (queue,) = live_stack.processes("valkey-server")
        os.kill(queue, signal.SIGKILL)
        wait_for(
            lambda: queue not in live_stack.processes("valkey-server") and bool(live_stack.processes("valkey-server")),
            timeout_s=RECOVERY_S,
            what="the queue was not started again",
        )
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGCONT)

    assert _ended(live_stack, job)["status"] == "succeeded"
    assert _attempts(live_stack, job) == [1]
    live_stack.wait_until_healthy()


def test_a_request_that_waits_while_the_broker_is_killed_is_answered_and_charged_once(live_stack: Stack) -> None:
    workers = live_stack.processes("--child", "pictures")
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    answers: list[requests.Response] = []
    charged = _charged(live_stack)

    def single() -> None:
        files = {"image": ("waiting.jpg", photos.encoded("JPEG", quality=71))}
        answers.append(live_stack.api().post("/api/jobs/?wait=60", files=files, headers={"Accept": "image/png"}))

    client = threading.Thread(target=single)
    client.start()
    try:
        wait_for(lambda: _charged(live_stack) == charged + 1, timeout_s=60, what="the request was not accepted")
        (queue,) = live_stack.processes("valkey-server")
        os.kill(queue, signal.SIGKILL)
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
    client.join()

    assert [answer.status_code for answer in answers] == [200]
    assert _charged(live_stack) == charged + 1
    live_stack.wait_until_healthy()


def test_a_web_server_that_is_killed_comes_back(live_stack: Stack) -> None:
    servers = live_stack.processes("webserver")
    os.kill(min(servers), signal.SIGKILL)

    def answers_anew() -> bool:
        if alive(servers):  # orphaned processes may still respond until they notice
            return False
        try:
            return requests.get(f"{live_stack.base_url}/health", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    wait_for(answers_anew, timeout_s=RECOVERY_S, what="the web server did not come back")


def _caught_in_the_middle(stack: Stack) -> tuple[str, int]:
    """Submit a slow picture, and stop its worker process while the picture is processed.

    Return the ids of the job and of the worker process.
    """
    api = stack.api()
    noise = np.random.default_rng(7).integers(0, 256, (3000, 4000, 3), np.uint8)
    content = photos.encode(noise, "JPEG", quality=60)
    (worker,) = stack.processes("--child", "pictures")
    for _ in range(5):
        job = api.post("/api/jobs/", files={"image": ("noise.jpg", content)}).json()["id"]
        wait_for(lambda job=job: _status(stack, job) != "queued", timeout_s=60, what="no worker took the picture")
        os.kill(worker, signal.SIGSTOP)
        if _status(stack, job) == "running":
            return job, worker
        os.kill(worker, signal.SIGCONT)
    raise AssertionError("the worker was always faster than the test")


def _status(stack: Stack, job: str) -> str:
    return stack.api().get(f"/api/jobs/{job}/").json()["images"][0]["status"]


def _ended(stack: Stack, job: str) -> dict:
    """Wait for a job's end and return the job."""
    found: dict = {}

    def ended() -> bool:
        found.update(stack.api().get(f"/api/jobs/{job}/").json())
        return found["status"] in ("succeeded", "failed", "canceled")

    wait_for(ended, timeout_s=RECOVERY_S, what=lambda: f"the job is still {found['status']}")
    return found


def _charged(stack: Stack) -> int:
    """Return the number of charged pictures in the site's ledger."""
    with sqlite3.connect(f"file:{stack.data_dir / 'keyline.sqlite3'}?mode=ro", uri=True) as database:
        return database.execute("SELECT coalesce(sum(pictures), 0) FROM jobs_usageentry").fetchone()[0]


def _attempts(stack: Stack, job: str) -> list[int]:
    """Return from the site's database how often each picture of a job was claimed by a worker."""
    with sqlite3.connect(f"file:{stack.data_dir / 'keyline.sqlite3'}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT attempt FROM jobs_jobimage WHERE job_id = ?", [job.replace("-", "")])
        return [attempt for (attempt,) in rows]
