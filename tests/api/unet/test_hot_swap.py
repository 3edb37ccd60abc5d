"""Tests that a running site with two workers reloads its model under load, without a restart or a failed request.

Each response must come from the old or from the new model.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
import torch
from django.conf import settings
from PIL.PngImagePlugin import PngInfo
from safetensors.torch import load_file

from tests import photos
from tests.stack import ROOT, Stack, wait_for

pytestmark = pytest.mark.e2e

ALPHA = {"Accept": "application/json+alpha"}
SAME = 0.003  # two processes sum in different orders, which changes a pixel by a few thousandths, rarely more


@pytest.fixture(scope="module")
def weights(live_stack: Stack) -> dict[str, Path]:
    """Write two weight files: the built-in network, and a network whose results are much less certain.

    Return the paths by name.
    """
    tensors = {
        name: value.float() if value.is_floating_point() else value
        for name, value in load_file(settings.MATTING_WEIGHTS).items()
    }
    files = {name: live_stack.data_dir / "weights" / f"{name}.pth" for name in ("shipped", "unsure")}
    torch.save(tensors, files["shipped"])
    unsure = {name: tensors[name] * 0.2 for name in ("mattes.weight", "mattes.bias")}
    torch.save(tensors | unsure, files["unsure"])
    return files


@pytest.fixture
def second_worker(live_stack: Stack) -> Iterator[None]:
    """Start a second worker, as on another machine, and stop it after the test."""
    command = [sys.executable, str(ROOT / "manage.py"), "work", "--processes", "1"]
    with subprocess.Popen(command, env=live_stack.environment, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: len(versions(live_stack)) == 2, timeout_s=120, what="the second worker does not beat")
        yield
        process.terminate()
        process.wait(60)


def versions(stack: Stack) -> list[str]:
    return [worker["version"] for worker in requests.get(f"{stack.base_url}/health", timeout=10).json()["workers"]]


def version_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean absolute difference between two alphas."""
    return float(np.abs(one - other).mean())


class Load:
    """Load on a site: three threads send the same pixels until the `with` block ends, and store the responses.

    Each file has a different comment, because an identical file would count as a repeated request.
    """

    def __init__(self, stack: Stack, pixels: np.ndarray) -> None:
        self.stack, self.pixels = stack, pixels
        self._numbers = itertools.count()
        self.statuses: list[int] = []
        self.answers: list[np.ndarray] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(3)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def ask(self) -> np.ndarray:
        comment = PngInfo()
        comment.add_text("Comment", str(next(self._numbers)))
        picture = photos.encode(self.pixels, "PNG", pnginfo=comment)
        answer = self.stack.api().post("/api/matting/single", files={"image": picture}, headers=ALPHA)
        self.statuses.append(answer.status_code)
        self.answers.append(np.frombuffer(base64.b64decode(answer.json().get("alpha_map_base64", "")), np.float32))
        return self.answers[-1]

    def _run(self) -> None:
        while not self._stop.is_set():
            self.ask()


def reload(stack: Stack, path: Path) -> requests.Response:
    return stack.api().post("/api/model/reload", json={"model_path": str(path)})


def test_every_worker_serves_another_model_from_its_next_picture_on(
    live_stack: Stack, second_worker: None, weights: dict[str, Path]
) -> None:
    pixels = photos.astronaut()[:256, 120:376]
    before = live_stack.processes("work", "--child", "pictures")

    with Load(live_stack, pixels) as load:
        answers = {"built in": load.ask()}
        for name in ("shipped", "unsure", "shipped"):
            assert reload(live_stack, weights[name]).status_code == 200
            answer = load.ask()
            assert difference(answers.setdefault(name, answer), answer) < SAME
            wait_for(
                lambda name=name: set(versions(live_stack)) == {version_of(weights[name])},
                timeout_s=60,
                what=lambda name=name: f"{name} is not served by all: {versions(live_stack)}",
            )
            assert difference(load.ask(), answer) < SAME

    assert set(load.statuses) == {200}
    assert difference(answers["shipped"], answers["unsure"]) > 10 * SAME
    assert max(min(difference(answer, known) for known in answers.values()) for answer in load.answers) < SAME
    assert live_stack.processes("work", "--child", "pictures") == before


def test_a_bad_file_leaves_the_running_model_alone(live_stack: Stack, weights: dict[str, Path]) -> None:
    bad = live_stack.data_dir / "weights" / "bad.pth"
    bad.write_bytes(weights["shipped"].read_bytes()[:10_000])

    answer = reload(live_stack, bad)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert "bad.pth" in answer.json()["error"]
    assert version_of(bad) not in versions(live_stack)
    picture = photos.encode(photos.astronaut()[:128, 120:248], "PNG")
    assert live_stack.api().post("/api/matting/single", files={"image": picture}).status_code == 200


def test_a_key_without_the_admin_scope_changes_nothing(live_stack: Stack, weights: dict[str, Path]) -> None:
    _, secret = live_stack.create_key(team="Readers", scopes=("submit", "read"))

    answer = live_stack.api(secret).post("/api/model/reload", json={"model_path": str(weights["unsure"])})

    assert answer.status_code == 403
