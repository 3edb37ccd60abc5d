"""Tests of a model that cannot be loaded: a smaller model replaces it, and the reason is reported.

After a lack of memory, the worker tries again later.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from jobs.inference import engines
from jobs.inference.choice import Choice
from jobs.inference.engines import Engines
from jobs.inference.escalation import Escalation
from jobs.inference.pool import Pool, Weights
from jobs.inference.routing import RoutedEngine
from jobs.models import ModelVersion, Role, Tier
from jobs.work.faults import WorkerUnfit
from segmentation.engines.base import Engine
from segmentation.engines.manifest import file_digest
from segmentation.errors import InferenceFailed, WeightsInvalid
from segmentation.options import Quality
from tests.fakes import FakeEngine

pytestmark = pytest.mark.django_db


def card_is_full() -> Exception:
    return type("OutOfMemoryError", (RuntimeError,), {})("no")


def openvino_is_full() -> Exception:
    error = InferenceFailed("OpenVINO cannot run the built-in network here.")
    error.__cause__ = RuntimeError("Check 'false' failed: std::bad_alloc")
    return error


class Loader:
    """A loader of weight files that returns fake inference engines. Each engine has the name of its file.

    error: the exception to raise for the file `large`, or None. loads: the names of the files loaded so far.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.loads: list[str] = []

    def __call__(self, weights: Weights) -> Engine:
        self.loads.append(weights.path.stem)
        if weights.path.stem == "large" and self.error is not None:
            raise self.error
        engine = FakeEngine()
        engine.name = weights.path.stem
        return engine


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list whose only item is the simulated time in seconds. Tests change this item."""
    now = [1000.0]
    monkeypatch.setattr("jobs.inference.engines.time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def worker(loader: Loader, settings: Settings, tmp_path: Path, clock: list[float]) -> Engines:
    """Return the models of a worker. The weights folder contains the file `large.onnx`."""
    settings.MATTING_WEIGHTS_DIR = tmp_path
    (tmp_path / "large.onnx").write_bytes(b"large")
    pool = Pool(budget_bytes=10**9, idle_s=100, load=loader)
    return Engines(pool, Escalation(above=0, max_share=1, max_s=60))


def activate(tier: Tier, settings: Settings) -> None:
    path = settings.MATTING_WEIGHTS_DIR / "large.onnx"
    ModelVersion.objects.create(
        role=Role.SUBJECT, tier=tier, name="large", path=path.name, sha256=file_digest(path), is_active=True
    )


def choice(worker: Engines, quality: Quality) -> tuple[str, str, str]:
    worker.refresh()
    routed = RoutedEngine(worker, quality=quality, escalation=worker.escalation)
    routed.auto(np.zeros((40, 60, 3), np.uint8))
    found: Choice | None = routed.choice
    assert found is not None
    return found.model, found.tier, found.reason


@pytest.mark.parametrize("error", [MemoryError(), card_is_full(), openvino_is_full()])
@pytest.mark.parametrize(("tier", "quality"), [(Tier.FAST, Quality.FAST), (Tier.FINE, Quality.FINE)])
def test_a_model_that_does_not_fit_is_replaced_and_tried_again_later(
    worker: Engines,
    loader: Loader,
    settings: Settings,
    clock: list[float],
    error: Exception,
    tier: Tier,
    quality: Quality,
) -> None:
    activate(tier, settings)
    loader.error = error

    assert choice(worker, quality) == ("keyline-small", "fast", "memory")
    assert choice(worker, quality) == ("keyline-small", "fast", "memory")
    assert loader.loads.count("large") == 2  # again after the other models were unloaded, then not for some time

    loader.error = None
    clock[0] += engines._TOO_LARGE_FOR_S

    assert choice(worker, quality) == ("large", tier, "quality")
    assert worker.missing == set()


def test_unloading_other_models_can_make_a_model_fit(worker: Engines, loader: Loader, settings: Settings) -> None:
    activate(Tier.FINE, settings)
    worker.pool.get(Weights(Path("other")))
    loader.error = MemoryError()
    unload = worker.pool.unload_others

    def and_fit(weights: Weights) -> None:
        unload(weights)
        loader.error = None

    worker.pool.unload_others = and_fit

    assert choice(worker, Quality.FINE) == ("large", "fine", "quality")
    assert worker.pool.loaded(Weights(Path("other"))) is None


def test_clicks_without_their_model_are_a_fault_of_the_machine(
    worker: Engines, loader: Loader, settings: Settings, tmp_path: Path
) -> None:
    settings.MATTING_WEIGHTS = settings.SHIPPED_WEIGHTS = tmp_path / "large.safetensors"
    assert worker.for_clicks().name == "large"

    worker.pool.unload_others(Weights(tmp_path / "other.safetensors"))
    loader.error = WeightsInvalid("It is damaged.")

    with pytest.raises(WorkerUnfit):
        worker.for_clicks()


def test_a_file_that_fails_is_not_tried_again_and_stays_reported(
    worker: Engines, loader: Loader, settings: Settings, clock: list[float]
) -> None:
    activate(Tier.FAST, settings)
    loader.error = WeightsInvalid("broken")

    for _ in range(2):
        assert choice(worker, Quality.FAST) == ("keyline-small", "fast", "missing")
        clock[0] += 10 * engines._TOO_LARGE_FOR_S

    assert loader.loads.count("large") == 1
    assert worker.describe()["missing"] == ["large"]


def test_a_model_that_is_no_longer_active_is_no_longer_missing(
    worker: Engines, loader: Loader, settings: Settings
) -> None:
    activate(Tier.FAST, settings)
    loader.error = WeightsInvalid("broken")
    choice(worker, Quality.FAST)

    ModelVersion.objects.update(is_active=False)

    assert worker.describe()["missing"] == []
