"""Tests that the fastest runtime is measured once for each machine and model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from segmentation.engines import fastest
from segmentation.engines.base import Engine
from segmentation.engines.fastest import fastest_runtime
from segmentation.errors import InferenceFailed
from segmentation.runtimes import Runtime
from tests.fakes import FakeEngine

CANDIDATES = (Runtime.OPENVINO, Runtime.OPENVINO_FP32, Runtime.TORCH_CPU)


@pytest.fixture
def choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[Runtime, float]], tuple[Runtime, int]]:
    """Return a function that chooses the fastest runtime. Its argument is a dict from runtimes to times in seconds.

    It returns the chosen runtime and the number of loaded runtimes. A runtime that is not in the dict is unavailable.
    """
    weights = tmp_path / "model.onnx"
    weights.write_bytes(b"a model")

    def run(times_s: dict[Runtime, float]) -> tuple[Runtime, int]:
        loaded: list[Runtime] = []

        def load(runtime: Runtime) -> Engine:
            loaded.append(runtime)
            if runtime not in times_s:
                raise InferenceFailed
            engine = FakeEngine()
            engine.runtime = runtime
            return engine

        monkeypatch.setattr(fastest, "_time_s", lambda engine: times_s[engine.runtime])
        chosen = fastest_runtime(weights, candidates=CANDIDATES, load=load, cache_dir=tmp_path, built_in=False)
        return chosen, len(loaded)

    return run


def test_the_fastest_runtime_is_measured_once_and_remembered(choose) -> None:
    times_s = {Runtime.OPENVINO: 0.3, Runtime.OPENVINO_FP32: 0.5, Runtime.TORCH_CPU: 0.1}

    assert choose(times_s) == (Runtime.TORCH_CPU, 3)
    assert choose(times_s) == (Runtime.TORCH_CPU, 0)


def test_a_small_gain_does_not_change_the_usual_runtime(choose) -> None:
    assert choose({Runtime.OPENVINO: 0.30, Runtime.TORCH_CPU: 0.29})[0] is Runtime.OPENVINO


def test_a_runtime_that_cannot_be_had_is_left_out(choose) -> None:
    assert choose({Runtime.TORCH_CPU: 0.9})[0] is Runtime.TORCH_CPU


def test_without_any_runtime_the_choice_is_left_to_loading(choose) -> None:
    assert choose({})[0] is Runtime.AUTO
