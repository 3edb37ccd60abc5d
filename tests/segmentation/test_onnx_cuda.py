"""Tests of ONNX files on CUDA: the engine reports the runtime that it uses, and never uses the CPU instead of CUDA.

A fake session replaces the package onnxruntime-gpu.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import pytest

from segmentation.engines import onnx_runtime, registry
from segmentation.engines.base import Engine
from segmentation.engines.registry import load_engine
from segmentation.errors import InferenceFailed

from .onnx_networks import red_network

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
real_session = onnxruntime.InferenceSession


class FakeSession:
    """A fake session of onnxruntime-gpu that computes on the CPU.

    usable: the providers that work. falls_back: False after `disable_fallback` was called.
    """

    usable: tuple[str, ...] = (CUDA, CPU)
    falls_back = True

    def __init__(self, model, options, providers):
        self._session = real_session(model, options, providers=[CPU])
        self._providers = [name for name in providers if name in self.usable]

    def get_providers(self):
        return self._providers

    def disable_fallback(self):
        type(self).falls_back = False

    def __getattr__(self, name):
        return getattr(self._session, name)


@pytest.fixture
def gpu_package(monkeypatch: pytest.MonkeyPatch) -> type[FakeSession]:
    """Simulate onnxruntime-gpu on a machine with a GPU; return the class of its sessions.

    Tests can change the attribute `usable` of this class: the providers that work.
    """

    class Session(FakeSession):
        pass

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None)
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    monkeypatch.setattr(registry, "a_gpu_may_be_there", lambda: True)
    return Session


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Engine]:
    path = red_network(tmp_path / "public.onnx")
    manifest = {"family": "salient", "size": 64, "mean": 0.0, "std": 1.0, "output": "alpha"}
    path.with_suffix(".json").write_text(json.dumps(manifest))
    return lambda runtime: load_engine(path, runtime=runtime)


@pytest.mark.parametrize("runtime", ["torch-cuda", "onnx", "auto"])
def test_a_gpu_runs_onnx_files_on_cuda(
    gpu_package: type[FakeSession], load: Callable[[str], Engine], runtime: str
) -> None:
    assert load(runtime).runtime == "onnx-cuda"
    assert not gpu_package.falls_back


def test_requested_cuda_that_the_session_does_not_use_is_an_error(
    gpu_package: type[FakeSession], load: Callable[[str], Engine]
) -> None:
    gpu_package.usable = (CPU,)

    with pytest.raises(InferenceFailed, match=r"cannot use CUDA here.*onnxruntime-gpu"):
        load("torch-cuda")
    with pytest.raises(InferenceFailed, match="cannot use CUDA here"):
        onnx_runtime.require_cuda()


@pytest.mark.parametrize(("runtime", "in_use"), [("onnx", "onnx"), ("auto", "openvino")])
def test_cuda_that_was_not_requested_and_fails_is_replaced_and_reported(
    gpu_package: type[FakeSession],
    load: Callable[[str], Engine],
    caplog: pytest.LogCaptureFixture,
    runtime: str,
    in_use: str,
) -> None:
    gpu_package.usable = (CPU,)

    assert load(runtime).runtime == in_use
    assert "public.onnx runs on the CPU" in caplog.text


def test_without_the_gpu_package_the_error_says_what_to_install(load: Callable[[str], Engine]) -> None:
    with pytest.raises(InferenceFailed, match=r"has no CUDA.*pip install 'onnxruntime-gpu"):
        load("torch-cuda")


def test_torch_on_the_cpu_leaves_onnx_files_to_onnx_runtime(load: Callable[[str], Engine]) -> None:
    assert load("torch-cpu").runtime == "onnx"


def test_the_small_network_that_tests_cuda_runs(gpu_package: type[FakeSession]) -> None:
    onnx_runtime.require_cuda()
