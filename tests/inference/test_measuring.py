"""Tests that a worker measures the speed of all runtimes for each model that becomes active.

After the measurement, the runtime `auto` means the fastest runtime.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_django import Settings

from jobs.inference import measuring
from jobs.inference.measuring import Measuring
from jobs.models import ModelVersion, Role, Tier
from segmentation.engines import fastest, registry
from segmentation.engines.manifest import file_digest
from segmentation.engines.registry import load_engine
from tests.segmentation.onnx_networks import red_network

pytestmark = pytest.mark.django_db


class Process:
    """A fake process of the command `measure_runtimes`."""

    def __init__(self, command: list[str], **options: object) -> None:
        self.command, self.status = command, None

    def poll(self) -> int | None:
        return self.status


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> list[Process]:
    """Simulate a machine without a GPU, and return a list to which each started process is added."""
    settings.MATTING_RUNTIME, settings.DATA_DIR, settings.MATTING_WEIGHTS_DIR = "auto", tmp_path, tmp_path
    monkeypatch.setattr(measuring, "a_gpu_may_be_there", lambda: False)
    monkeypatch.setattr(registry, "a_gpu_may_be_there", lambda: False)
    processes: list[Process] = []

    def start(command: list[str], **options: object) -> Process:
        processes.append(Process(command))
        return processes[-1]

    monkeypatch.setattr(measuring.subprocess, "Popen", start)
    return processes


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = red_network(tmp_path / "tiny.onnx")
    path.with_suffix(".json").write_text(json.dumps({"name": "tiny", "size": 64, "output": "alpha"}))
    return path


def activate(path: Path) -> None:
    ModelVersion.objects.create(
        role=Role.SUBJECT, tier=Tier.FINE, name=path.stem, path=path.name, sha256=file_digest(path), is_active=True
    )


def remember(path: Path, runtime: str, *, built_in: bool) -> None:
    """Store the fastest runtime of a model, as the command `measure_runtimes` does."""
    file = measuring.cache_dir() / fastest.FILE_NAME
    file.parent.mkdir(exist_ok=True)
    fastest._write(file, fastest._read(file) | {fastest._key(path, built_in=built_in): runtime})


def test_a_model_that_is_activated_later_is_measured(started: list[Process], settings: Settings, tiny: Path) -> None:
    remember(Path(settings.MATTING_WEIGHTS), "openvino", built_in=True)
    measure = Measuring()

    measure.look()
    assert started == []

    activate(tiny)
    measure.look()
    measure.look()

    assert [process.command[-1] for process in started] == ["measure_runtimes"]


def test_the_shipped_model_is_measured_if_it_processes_the_clicks_and_may_be_missing(
    started: list[Process], settings: Settings, tmp_path: Path
) -> None:
    settings.MATTING_WEIGHTS = str(tmp_path / "boxes-only.safetensors")
    Path(settings.MATTING_WEIGHTS).write_bytes(b"weights without a manifest")
    remember(Path(settings.MATTING_WEIGHTS), "openvino", built_in=True)

    Measuring().look()
    assert [process.command[-1] for process in started] == ["measure_runtimes"]

    settings.SHIPPED_WEIGHTS = str(tmp_path / "deleted.safetensors")
    Measuring().look()
    assert len(started) == 1


def test_a_second_measurement_waits_for_the_first_and_no_file_is_measured_twice(
    started: list[Process], tiny: Path
) -> None:
    measure = Measuring()
    measure.look()
    activate(tiny)

    measure.look()
    assert len(started) == 1

    started[0].status = 0
    for _ in range(2):
        measure.look()
        started[-1].status = 0

    assert len(started) == 2


def test_auto_uses_the_remembered_runtime(started: list[Process], tiny: Path) -> None:
    remember(tiny, "onnx", built_in=False)

    assert load_engine(tiny, runtime="auto", cache_dir=measuring.cache_dir()).runtime == "onnx"
    assert load_engine(tiny, runtime="auto").runtime == "openvino"
