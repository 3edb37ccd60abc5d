"""Tests of two hosts with separate data and weights folders that share one PostgreSQL, one broker and one storage.

An activated model is used on both hosts. A host without the model's file copies it from the storage. Each picture is
processed by only one model. A host that cannot get the file prevents the activation, and takes no pictures if it loses
the file later.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import requests
from PIL.PngImagePlugin import PngInfo

from mattingsite.data_folder import broker_socket
from tests import photos
from tests.segmentation.onnx_networks import red_network
from tests.stack import ROOT, Stack, running_stack, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def first(tmp_path: Path, postgres_url: str) -> Iterator[Stack]:
    """Yield the first host, with web server, broker and one worker."""
    folder = tmp_path / "first"
    (folder / "weights").mkdir(parents=True)
    changes = {
        "DATABASE_URL": postgres_url,
        "MATTING_HOST": "first",
        "MATTING_WORKERS": "1",
        "MATTING_WEIGHTS_DIR": str(folder / "weights"),
        "MATTING_ACTIVATION_WAIT_S": "60",
        "MATTING_MEDIA_DIR": str(tmp_path / "media"),
        "MATTING_RUNTIME": "openvino",
    }
    with running_stack(folder, **changes) as stack:
        yield stack


@pytest.fixture
def second(tmp_path: Path, first: Stack) -> Iterator[Path]:
    """Start the second host, with one worker, and yield its data folder."""
    folder = tmp_path / "second"
    (folder / "models").mkdir(parents=True)
    environment = first.environment | {
        "MATTING_DATA_DIR": str(folder),
        "MATTING_HOST": "second",
        "MATTING_WEIGHTS_DIR": str(folder / "models"),
        "REDIS_URL": f"unix://{broker_socket(first.data_dir)}",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "work", "--processes", "1"]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: len(workers(first)) == 2, timeout_s=180, what="the second host sends no heartbeat")
        yield folder
        process.terminate()
        process.wait(60)


def workers(stack: Stack) -> list[dict[str, object]]:
    return requests.get(f"{stack.base_url}/health", timeout=10).json()["workers"]


def cut_out_by(stack: Stack, count: int) -> list[tuple[str, str]]:
    """Cut out small pictures, four at a time; return the host and the model that processed each picture."""
    with ThreadPoolExecutor(4) as pool:
        jobs = list(pool.map(lambda _: cut_out(stack), range(count)))
    of_first = stack.processes("--child", "pictures")
    with psycopg.connect(stack.environment["DATABASE_URL"]) as database:
        rows = database.execute(
            "SELECT claimed_by, model_version FROM jobs_jobimage WHERE job_id = ANY(%s::uuid[])", [jobs]
        ).fetchall()
    hosts = ["first" if int(worker.rpartition("-")[2]) in of_first else "second" for worker, _ in rows]
    return [(host, model.split()[0]) for host, (_, model) in zip(hosts, rows, strict=True)]


def cut_out(stack: Stack) -> str:
    """Cut out one small picture with unique bytes, and return its job's id."""
    comment = PngInfo()
    comment.add_text("Comment", uuid4().hex)
    photo = photos.encode(photos.astronaut()[:128, 120:248], "PNG", pnginfo=comment)
    job = stack.api().post("/api/jobs/?wait=60", files={"image": ("photo.png", photo)}).json()
    assert job["status"] == "succeeded", job
    return job["id"]


def install(stack: Stack) -> None:
    """Write a small network and its manifest into the first host's weights folder."""
    weights = red_network(stack.data_dir / "weights" / "tiny.onnx")
    manifest = {"name": "tiny", "size": 64, "output": "alpha", "licence": "MIT"}
    weights.with_suffix(".json").write_text(json.dumps(manifest))


def activate(stack: Stack) -> requests.Response:
    return stack.api().post("/api/model/reload", json={"model_path": "tiny.onnx"})


def copies_prevent(folder: Path) -> None:
    """Prevent a host from storing copies of models: replace the folder for copies by a file."""
    shutil.rmtree(folder / "weights", ignore_errors=True)
    (folder / "weights").write_text("")


def problem_of_weights(stack: Stack) -> str:
    """Return the problem with the weight files that /health shows to a signed-in user; empty if there is none."""
    with requests.Session() as browser:
        login = f"{stack.base_url}/accounts/login/"
        browser.get(login, timeout=30)
        form = {"login": "admin", "password": stack.admin_password}
        headers = {"X-CSRFToken": browser.cookies["csrftoken"], "Referer": login}
        browser.post(login, data=form, headers=headers, timeout=30)
        return browser.get(f"{stack.base_url}/health", timeout=30).json()["problems"].get("weights", "")


def test_an_activation_reaches_a_host_that_has_no_file_and_both_hosts_use_it(first: Stack, second: Path) -> None:
    install(first)

    answer = activate(first)
    pictures = cut_out_by(first, 12)
    while {host for host, _ in pictures} != {"first", "second"} and len(pictures) < 60:
        pictures += cut_out_by(first, 12)

    assert answer.status_code == 200, answer.text
    assert [path.name for path in (second / "weights").rglob("*.onnx")] == ["tiny.onnx"]
    assert set(pictures) == {("first", "tiny"), ("second", "tiny")}
    checks = requests.get(f"{first.base_url}/health", timeout=10).json()
    assert checks["status"] == "ok", checks


def test_a_host_without_the_file_prevents_the_activation_and_later_takes_no_pictures(
    first: Stack, second: Path
) -> None:
    install(first)
    copies_prevent(second)

    refused = activate(first)

    assert (refused.status_code, refused.json()["code"]) == (503, "timeout")
    assert "second did not get the weights file" in refused.json()["error"]
    assert {model for _, model in cut_out_by(first, 4)} == {"keyline-small"}

    (second / "weights").unlink()
    assert activate(first).status_code == 200

    copies_prevent(second)
    wait_for(
        lambda: problem_of_weights(first) == "A host lacks an active model: second lacks tiny.",
        timeout_s=60,
        what=lambda: f"/health says: {problem_of_weights(first)}",
    )
    assert set(cut_out_by(first, 12)) == {("first", "tiny")}
