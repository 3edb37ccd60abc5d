"""Fixtures of tests with one small network: its file, its activation, and the models of a worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from jobs.inference import engines
from jobs.models import ModelVersion, Role, Tier
from segmentation.engines.manifest import file_digest
from tests.fakes import FakeEngine
from tests.segmentation.onnx_networks import red_network


@pytest.fixture
def weights(settings: Settings, tmp_path: Path) -> Path:
    """Write a small network into this host's weights folder, and return its path."""
    settings.MATTING_WEIGHTS_DIR = tmp_path / "weights"
    settings.MATTING_WEIGHTS_DIR.mkdir()
    settings.DATA_DIR = tmp_path / "data"
    path = red_network(settings.MATTING_WEIGHTS_DIR / "tiny.onnx")
    path.with_suffix(".json").write_text(json.dumps({"name": "tiny", "size": 64, "output": "alpha", "licence": "MIT"}))
    return path


@pytest.fixture
def version(weights: Path) -> ModelVersion:
    """Make the small network the active model for subjects in the quality `fast`, and return it."""
    return ModelVersion.objects.create(
        role=Role.SUBJECT, tier=Tier.FAST, name="tiny", path="tiny.onnx", sha256=file_digest(weights), is_active=True
    )


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[engines.Engines]:
    """Yield the models of a worker on this host. Each weight file is loaded as a fake inference engine."""
    settings.MATTING_HOST = "here"
    engines.engines.cache_clear()
    monkeypatch.setattr(engines, "load", lambda weights: FakeEngine())
    yield engines.engines()
    engines.engines.cache_clear()
