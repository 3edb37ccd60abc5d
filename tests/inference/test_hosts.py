"""Tests of activations on several hosts: either all hosts get the file or none.

A host without the file takes no pictures.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from pytest_django import Settings

from jobs.errors import WaitTimeout
from jobs.inference import engines, files
from jobs.inference.activation import WEIGHTS_TRY, activations_expire, model_activate
from jobs.inference.files import weights_fetch, weights_publish
from jobs.models import ModelVersion, Role, Tier
from jobs.work import queue
from segmentation.engines.manifest import file_digest
from segmentation.errors import WeightsInvalid
from tests.cast import Person
from tests.fakes import FakeEngine
from tests.inference.other_hosts import beats, move_to_another_host, raising, raising_not_found
from tests.segmentation.onnx_networks import red_network

pytestmark = pytest.mark.django_db


def answer(weights: Path) -> dict[str, Any]:
    return {
        "name": "tiny",
        "sha256": file_digest(weights),
        "architecture": "SalientEngine",
        "roles": ["subject"],
        "licence": "MIT",
        "needs_acceptance": False,
        "storage_key": weights_publish(weights, file_digest(weights)),
        "host": "here",
    }


def test_a_host_copies_the_file_from_the_storage_and_checks_it(
    settings: Settings, tmp_path: Path, weights: Path, version: ModelVersion
) -> None:
    version.storage_key = weights_publish(weights, version.sha256)
    move_to_another_host(settings, tmp_path)

    path = weights_fetch(version)

    assert path is not None
    assert path.read_bytes() == weights.read_bytes()
    assert json.loads(path.with_suffix(".json").read_text())["name"] == "tiny"


def test_a_copy_that_was_changed_is_not_used(
    settings: Settings, tmp_path: Path, weights: Path, version: ModelVersion
) -> None:
    version.storage_key = weights_publish(weights, version.sha256)
    (Path(settings.MEDIA_ROOT) / version.storage_key).write_bytes(b"another model")
    move_to_another_host(settings, tmp_path)

    assert weights_fetch(version) is None
    assert not list(Path(settings.DATA_DIR).rglob("*.onnx"))


def test_a_host_that_is_added_later_gets_the_file(
    alice: Person, settings: Settings, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_HOST = "here"
    monkeypatch.setattr(queue, "ask", lambda *args, **values: answer(weights))
    beats("here")
    version = model_activate(actor=alice.actor, path="tiny.onnx", role=Role.SUBJECT, tier=Tier.FINE)

    move_to_another_host(settings, tmp_path)

    assert weights_fetch(version) is not None


def test_a_refused_file_is_not_stored_on_a_single_host(
    alice: Person, settings: Settings, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_HOST = "here"
    monkeypatch.setattr(queue, "ask", lambda *args, **values: {"error": "The weights file does not load."})
    beats("here")

    with pytest.raises(WeightsInvalid):
        model_activate(actor=alice.actor, path="tiny.onnx", role=Role.SUBJECT, tier=Tier.FINE)

    assert not (Path(settings.MEDIA_ROOT) / "weights").exists()


def test_a_checkpoint_without_a_manifest_has_none_on_other_hosts(
    settings: Settings, tmp_path: Path, weights: Path
) -> None:
    """The copy must have no manifest: with an empty manifest, the built-in network would use the box mode `crop`."""
    path = weights.with_name("own.pth")
    path.write_bytes(b"own")
    sha256 = file_digest(path)
    version = ModelVersion(name="own", path=path.name, sha256=sha256, storage_key=weights_publish(path, sha256))
    move_to_another_host(settings, tmp_path)

    copy = weights_fetch(version)

    assert copy is not None
    assert not copy.with_suffix(".json").exists()


def test_activation_waits_until_the_other_host_has_loaded_the_file(
    alice: Person, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "ask", lambda *args, **values: answer(weights))
    beats("here")
    beats("there")

    states: list[dict[str, list[str]]] = []

    def other_host_copies_and_loads(seconds: float) -> None:
        copied = [ModelVersion.objects.get(is_pending=True).sha256[:12]]
        states.append({"weights": copied, "loadable": copied if states else []})
        beats("there", **states[-1])

    monkeypatch.setattr("jobs.inference.activation.time.sleep", other_host_copies_and_loads)

    version = model_activate(actor=alice.actor, path="tiny.onnx", role=Role.SUBJECT, tier=Tier.FINE)

    assert len(states) == 2
    assert version.is_active
    assert version.storage_key
    assert ModelVersion.objects.count() == 1


def test_a_host_that_cannot_load_the_file_prevents_the_activation_and_is_named_with_the_reason(
    alice: Person, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "ask", lambda *args, **values: answer(weights))
    digits = file_digest(weights)[:12]
    beats("there", weights=[digits], failed={digits: "It needs a newer runtime."})

    with pytest.raises(WeightsInvalid, match=r"there cannot load the file\. It needs a newer runtime"):
        model_activate(actor=alice.actor, path="tiny.onnx", role=Role.SUBJECT, tier=Tier.FINE)

    assert not ModelVersion.objects.exists()


def test_a_host_loads_the_models_of_pending_activations_once(
    version: ModelVersion, worker: engines.Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    ModelVersion.objects.update(is_active=False, is_pending=True)

    worker.upkeep()
    worker.pool.unload_others(engines.built_in(Role.SUBJECT))
    worker.upkeep()

    assert worker.describe()["loadable"] == [version.sha256[:12]]
    assert worker.pool.describe() == []


def test_a_failure_to_load_is_in_the_heartbeat_until_the_activation_has_ended(
    version: ModelVersion, worker: engines.Engines
) -> None:
    ModelVersion.objects.update(is_active=False, is_pending=True)
    worker.pool._load = raising(WeightsInvalid("It needs a newer runtime."))

    worker.upkeep()

    assert worker.describe()["failed"] == {version.sha256[:12]: "It needs a newer runtime."}
    assert worker.describe()["loadable"] == []

    ModelVersion.objects.all().delete()
    worker.upkeep()

    assert worker.describe()["failed"] == {}


def test_a_file_that_only_the_workers_host_has_reaches_the_other_host(
    alice: Person,
    settings: Settings,
    tmp_path: Path,
    weights: Path,
    worker: engines.Engines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file must reach the host `there`, although only the host `here` has it. The web server's host lacks it."""
    folder = settings.MATTING_WEIGHTS_DIR
    move_to_another_host(settings, tmp_path)
    beats("here")
    beats("there")
    there_was_asked_for: list[str] = []

    def ask_here(task: object, *arguments: str, **values: object) -> dict[str, object]:
        with override_settings(MATTING_WEIGHTS_DIR=folder):
            return engines.tried(*arguments)

    def there_copies(seconds: float) -> None:
        pending = ModelVersion.objects.get(is_pending=True)
        assert weights_fetch(pending) is not None
        there_was_asked_for.append(pending.name)
        beats("there", loadable=[pending.sha256[:12]])

    monkeypatch.setattr(queue, "ask", ask_here)
    monkeypatch.setattr("jobs.inference.activation.time.sleep", there_copies)

    version = model_activate(actor=alice.actor, path="tiny.onnx", role=Role.SUBJECT, tier=Tier.FINE)

    assert there_was_asked_for == [version.name]
    assert version.is_active


def test_an_activation_that_does_not_reach_every_host_changes_nothing(
    alice: Person, weights: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_ACTIVATION_WAIT_S = 0
    monkeypatch.setattr(queue, "ask", lambda *args, **values: answer(weights))
    beats("there")

    with pytest.raises(WaitTimeout, match="there"):
        model_activate(actor=alice.actor, path="tiny.onnx", role=Role.SUBJECT, tier=Tier.FINE)

    assert not ModelVersion.objects.exists()


def test_a_host_that_tries_a_file_and_cannot_copy_it_is_named(
    alice: Person, settings: Settings, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats("here")
    beats("there")

    def ask_there(task: object, *arguments: str, **values: object) -> dict[str, object]:
        with monkeypatch.context() as patch:
            patch.setattr(settings, "MATTING_HOST", "there")
            patch.setattr(settings, "MATTING_WEIGHTS_DIR", tmp_path / "empty")
            patch.setattr(files.storage, "open_file", raising_not_found)
            return engines.tried(*arguments)

    monkeypatch.setattr(queue, "ask", ask_there)

    with pytest.raises(WaitTimeout, match="there did not get the weights file"):
        model_activate(actor=alice.actor, path="tiny.onnx", role=Role.SUBJECT, tier=Tier.FINE)


def test_files_that_are_tried_share_the_memory_budget_and_are_loaded_once(
    weights: Path, worker: engines.Engines
) -> None:
    other = red_network(weights.with_name("other.onnx"), gain=0.5)
    other.with_suffix(".json").write_text(weights.with_suffix(".json").read_text())
    loads: list[str] = []
    worker.pool.budget_bytes, worker.pool._size = 100, lambda weights: 90
    worker.pool._load = lambda weights: loads.append(weights.path.name) or FakeEngine()

    for name in ("tiny.onnx", "tiny.onnx", "other.onnx"):
        assert "error" not in engines.tried(name)

    assert loads == ["tiny.onnx", "other.onnx"]
    assert len(worker.pool.describe()) == 1


def test_an_activation_may_take_longer_than_a_picture(
    alice: Person, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_MAX_WAIT_S, settings.MATTING_ACTIVATION_WAIT_S = 1, 900
    asked: list[float] = []
    monkeypatch.setattr(queue, "ask", lambda *args, timeout_s, **values: asked.append(timeout_s))

    with pytest.raises(WaitTimeout):
        model_activate(actor=alice.actor, path="tiny.onnx", role=Role.SUBJECT, tier=Tier.FINE)

    assert asked == [900]
    assert WEIGHTS_TRY.timeout_s > asked[0]


def test_pending_activations_of_an_ended_web_process_are_deleted(version: ModelVersion, settings: Settings) -> None:
    ModelVersion.objects.update(is_active=False, is_pending=True)

    assert activations_expire() == 0

    since = timezone.now() - dt.timedelta(seconds=settings.MATTING_ACTIVATION_WAIT_S + 120)
    ModelVersion.objects.update(created_at=since)
    ModelVersion.objects.create(role=Role.PEOPLE, tier=Tier.FAST, name="active", path="a", sha256="1", is_active=True)
    ModelVersion.objects.filter(name="active").update(created_at=since)

    assert activations_expire() == 1
    assert [one.name for one in ModelVersion.objects.all()] == ["active"]
