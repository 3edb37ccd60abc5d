"""The start-up checks reject invalid settings and name the variable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from jobs.running import checks
from jobs.running.checks import check_matting_settings
from segmentation.runtimes import Runtime
from tests.stack import ROOT


@pytest.mark.parametrize("runtime", list(Runtime))
def test_every_runtime_that_an_engine_has_passes_the_check(
    runtime: Runtime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_RUNTIME = str(runtime)
    monkeypatch.setattr(checks, "cuda_is_usable", lambda: True)

    assert check_matting_settings(None) == []


def test_cuda_that_was_asked_for_and_cannot_be_used_fails_at_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_RUNTIME = "torch-cuda"
    monkeypatch.setattr(checks, "cuda_is_usable", lambda: False)

    (error,) = check_matting_settings(None)

    assert "torch finds no GPU" in error.msg


def test_onnx_weights_need_cuda_in_onnx_runtime_too(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_RUNTIME = "torch-cuda"
    settings.MATTING_WEIGHTS = tmp_path / "tiny.onnx"
    settings.MATTING_WEIGHTS.touch()
    monkeypatch.setattr(checks, "cuda_is_usable", lambda: True)

    (error,) = check_matting_settings(None)

    assert "pip install 'onnxruntime-gpu" in error.msg


def test_any_command_refuses_a_runtime_that_no_engine_has(tmp_path: Path) -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "mattingsite.settings",
        "MATTING_DATA_DIR": str(tmp_path),
        "MATTING_RUNTIME": "torch",
    }

    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check", "--tag", "keyline"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "MATTING_RUNTIME" in done.stderr
    assert "torch-cpu" in done.stderr
