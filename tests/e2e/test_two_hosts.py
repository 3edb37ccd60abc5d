"""Two hosts with separate data and weights folders share one PostgreSQL, one broker and one storage.

An activation applies to both hosts, a host without the file copies it from the storage, and each picture is processed
by only one model.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from mattingsite.data_folder import broker_socket
from tests import photos
from tests.segmentation.onnx_networks import red_network
from tests.stack import ROOT, Stack, running_stack, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def first(tmp_path: Path, postgres_url: str) -> Iterator[Stack]:
    """The first host: web server, broker and one worker."""
    folder = tmp_path / "first"
    (folder / "weights").mkdir(parents=True)
    changes = {
        "DATABASE_URL": postgres_url,
        "MATTING_HOST": "first",
        "MATTING_WORKERS": "1",
        "MATTING_WEIGHTS_DIR": str(folder / "weights"),
        "MATTING_MEDIA_DIR": str(tmp_path / "media"),
        "MATTING_RUNTIME": "openvino",
    }
    with running_stack(folder, **changes) as stack:
        yield stack


@pytest.fixture
def second(tmp_path: Path, first: Stack) -> Iterator[Path]:
    """The second host: one worker. The fixture returns its data folder."""
    folder = tmp_path / "second"
    (folder / "weights").mkdir(parents=True)
    environment = first.environment | {
        "MATTING_DATA_DIR": str(folder),
        "MATTING_HOST": "second",
        "MATTING_WEIGHTS_DIR": str(folder / "weights"),
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


def model_of_next_picture(stack: Stack) -> str:
    photo = photos.encode(photos.astronaut()[:128, 120:248], "PNG")
    job = stack.api().post("/api/jobs/?wait=60", files={"image": ("photo.png", photo)}).json()
    assert job["status"] == "succeeded", job
    return job["images"][0]["model"]


def test_an_activation_reaches_a_host_that_has_no_file(first: Stack, second: Path) -> None:
    weights = red_network(first.data_dir / "weights" / "tiny.onnx")
    manifest = {"name": "tiny", "size": 64, "output": "alpha", "licence": "MIT"}
    weights.with_suffix(".json").write_text(json.dumps(manifest))

    answer = first.api().post("/api/model/reload", json={"model_path": "tiny.onnx"})
    models = {model_of_next_picture(first) for _ in range(12)}

    assert answer.status_code == 200, answer.text
    assert [path.name for path in (second / "weights").rglob("*.onnx")] == ["tiny.onnx"]
    assert {model.split()[0] for model in models} == {"tiny"}
    checks = requests.get(f"{first.base_url}/health", timeout=10).json()
    assert checks["status"] == "ok", checks
