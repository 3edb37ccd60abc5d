"""Tests that the checks at the start reject invalid settings and name the variable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import ERROR
from pytest_django import Settings

from jobs.inference.built_in import built_in_path
from jobs.inference.installed import installed_models
from jobs.models import Role
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


def test_weights_that_serve_only_some_roles_give_a_warning(settings: Settings, tmp_path: Path) -> None:
    settings.MATTING_WEIGHTS = salient(tmp_path)

    (warning,) = check_matting_settings(None)

    assert warning.level < ERROR
    assert "serves only subject; the shipped model serves prompts, people" in warning.msg
    assert "Models page" in warning.msg


def test_weights_without_the_manifest_that_they_need_are_refused(settings: Settings, tmp_path: Path) -> None:
    settings.MATTING_WEIGHTS = salient(tmp_path)
    (tmp_path / "salient.json").unlink()

    (error,) = check_matting_settings(None)

    assert error.level == ERROR
    assert "need a manifest, salient.json" in error.msg


def test_the_shipped_model_serves_what_the_configured_one_cannot(settings: Settings, tmp_path: Path) -> None:
    settings.MATTING_WEIGHTS = salient(tmp_path)

    files = [built_in_path(role).stem for role in (Role.SUBJECT, Role.PROMPTS, Role.PEOPLE)]

    assert files == ["salient", "keyline-small", "keyline-small"]
    assert {file.name: file.built_in_for for file in installed_models() if file.is_built_in} == {
        "salient": (Role.SUBJECT,),
        "keyline-small": (Role.PROMPTS, Role.PEOPLE),
    }


def salient(folder: Path) -> str:
    """Write a fake weight file with the manifest of a network of the family `salient`; return its path."""
    path = folder / "salient.onnx"
    path.write_bytes(b"weights")
    path.with_suffix(".json").write_text(json.dumps({"name": "salient", "licence": "MIT"}))
    return str(path)


def test_onnx_weights_need_cuda_in_onnx_runtime_too(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_RUNTIME = "torch-cuda"
    settings.MATTING_WEIGHTS = salient(tmp_path)
    monkeypatch.setattr(checks, "cuda_is_usable", lambda: True)

    (error,) = [problem for problem in check_matting_settings(None) if problem.level >= ERROR]

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
