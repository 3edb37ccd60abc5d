"""Tests of `POST /api/model/reload`: permissions, valid files and audit entries. Workers really load the files."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from django.conf import settings as site
from pytest_django import Settings
from safetensors.torch import load_file

from jobs.inference import engines
from jobs.inference.activation import WEIGHTS_TRY, model_activate
from jobs.models import AuditEntry, Membership, ModelVersion, Role, Tier
from jobs.work import queue, tasks
from jobs.work.registry import Task
from segmentation.engines.base import Engine
from tests.api.matching import assert_matches, fixture
from tests.cast import Person, make_person
from tests.segmentation.onnx_networks import red_network

pytestmark = pytest.mark.slow

URL = "/api/model/reload"


@pytest.fixture
def weights_dir(settings, tmp_path: Path) -> Path:
    settings.MATTING_WEIGHTS_DIR = tmp_path / "weights"
    settings.MATTING_RUNTIME = "torch-cpu"
    settings.MATTING_WEIGHTS_DIR.mkdir()
    return settings.MATTING_WEIGHTS_DIR


@pytest.fixture
def trying_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run the task that loads a weight file in this process at once, instead of putting it into the queue."""

    def run(task: Task, *args: object, queue_name: str, **values: object) -> None:
        assert (task, queue_name) == (WEIGHTS_TRY, "interactive")
        tasks.weights_try(*args, **values)

    monkeypatch.setattr(queue, "enqueue_task", run)
    engines.engines.cache_clear()
    threads = torch.get_num_threads()
    yield
    engines.engines.cache_clear()
    torch.set_num_threads(threads)


def shipped() -> dict[str, torch.Tensor]:
    return {
        name: value.float() if value.is_floating_point() else value
        for name, value in load_file(site.MATTING_WEIGHTS).items()
    }


def serving() -> Engine:
    """Return the engine that processes the next picture."""
    engines.engines().refresh()
    engine = engines.engines().engine(Role.SUBJECT, Tier.FAST)
    assert engine is not None
    return engine


def reload(person: Person, path: object):
    return person.api().post(URL, {"model_path": path}, content_type="application/json")


def test_a_good_file_becomes_the_active_model_and_is_recorded(
    trying_worker: None, alice: Person, weights_dir: Path
) -> None:
    torch.save(shipped(), weights_dir / "mine.pth")

    answer = reload(alice, "/root/models/mine.pth")

    assert answer.status_code == 200, answer.json()
    assert_matches(answer.json(), fixture("unet/reload.json"))
    version = ModelVersion.objects.get(is_active=True, role=Role.SUBJECT)
    assert set(ModelVersion.objects.values_list("role", flat=True)) == set(Role)
    assert (version.path, version.loaded_by_name) == ("mine.pth", "key alice's key")
    entry = AuditEntry.objects.get(action="model.reloaded")
    assert (entry.after["path"], entry.after["sha256"]) == ("mine.pth", version.sha256)


def test_the_worker_that_tried_it_serves_it_without_loading_it_again(
    trying_worker: None, alice: Person, weights_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(shipped(), weights_dir / "mine.pth")
    reload(alice, "mine.pth")
    monkeypatch.setattr(engines, "load_engine", None)

    assert serving().name == "mine"


def test_a_second_reload_names_the_one_before(trying_worker: None, alice: Person, weights_dir: Path) -> None:
    torch.save(shipped(), weights_dir / "first.pth")
    torch.save(shipped(), weights_dir / "second.pth")

    reload(alice, "first.pth")
    answer = reload(alice, "second.pth")

    assert answer.json()["previous"] == "first.pth"
    assert {version.path for version in ModelVersion.objects.filter(is_active=True)} == {"second.pth"}


def test_the_same_name_with_another_content_is_loaded_again(
    trying_worker: None, alice: Person, weights_dir: Path
) -> None:
    torch.save(shipped(), weights_dir / "mine.pth")
    reload(alice, "mine.pth")
    before = serving().version
    changed = shipped()
    changed["mattes.bias"] += 0.5
    torch.save(changed, weights_dir / "mine.pth")

    reload(alice, "mine.pth")

    assert serving().version != before


def test_a_file_changed_after_its_trial_is_not_served(trying_worker: None, alice: Person, weights_dir: Path) -> None:
    torch.save(shipped(), weights_dir / "mine.pth")
    reload(alice, "mine.pth")
    before = serving()
    changed = shipped()
    changed["mattes.bias"] += 0.5
    torch.save(changed, weights_dir / "mine.pth")

    assert serving().version == before.version  # of the copy that the activation stored


@pytest.fixture
def restricted(weights_dir: Path) -> Path:
    """Write a small network whose licence forbids commercial use, and return its path."""
    path = red_network(weights_dir / "restricted.onnx")
    manifest = {"name": "restricted", "size": 64, "output": "alpha", "licence": "CC-BY-NC-4.0", "non_commercial": True}
    path.with_suffix(".json").write_text(json.dumps(manifest))
    return path


def test_a_licence_that_was_never_accepted_is_refused(
    trying_worker: None, alice: Person, settings: Settings, restricted: Path
) -> None:
    settings.MATTING_RUNTIME = "onnx"

    answer = reload(alice, "restricted.onnx")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert_matches(answer.json(), fixture("unet/error.json"))
    assert "CC-BY-NC-4.0" in answer.json()["error"]
    assert "Models page" in answer.json()["error"]
    assert not ModelVersion.objects.exists()


def test_a_licence_that_was_accepted_in_the_admin_is_not_refused(
    trying_worker: None, alice: Person, settings: Settings, restricted: Path
) -> None:
    settings.MATTING_RUNTIME = "onnx"
    model_activate(actor=alice.actor, path="restricted.onnx", role=Role.SUBJECT, tier=Tier.FINE, licence_accepted=True)

    answer = reload(alice, "restricted.onnx")

    assert answer.status_code == 200, answer.json()
    assert AuditEntry.objects.get(action="model.reloaded").after["licence_accepted"] is True


def test_a_checkpoint_whose_manifest_states_no_licence_is_refused(
    trying_worker: None, alice: Person, weights_dir: Path
) -> None:
    torch.save(shipped(), weights_dir / "mine.pth")
    manifest = json.loads(Path(site.MATTING_WEIGHTS).with_suffix(".json").read_text())
    kept = {name: manifest[name] for name in ("points", "size", "box_mode") if name in manifest}
    (weights_dir / "mine.json").write_text(json.dumps(kept))

    answer = reload(alice, "mine.pth")

    assert answer.status_code == 400
    assert "(unknown)" in answer.json()["error"]


def _missing_key() -> dict[str, torch.Tensor]:
    weights = shipped()
    del weights["mattes.bias"]
    return weights


def _extra_key() -> dict[str, torch.Tensor]:
    return shipped() | {"surprise": torch.zeros(1)}


def _wrong_shape() -> dict[str, torch.Tensor]:
    return shipped() | {"mattes.bias": torch.zeros(3)}


def _not_a_number() -> dict[str, torch.Tensor]:
    return shipped() | {"mattes.bias": torch.full_like(shipped()["mattes.bias"], float("nan"))}


def _same_everywhere() -> dict[str, torch.Tensor]:
    silent = {name: torch.zeros_like(shipped()[name]) for name in ("mattes.weight", "mattes.bias")}
    return shipped() | silent


def test_a_checkpoint_inside_a_state_dict_loads(trying_worker: None, alice: Person, weights_dir: Path) -> None:
    torch.save({"state_dict": shipped(), "epoch": 3}, weights_dir / "mine.pth")

    assert reload(alice, "mine.pth").status_code == 200


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_missing_key, "missing mattes.bias"),
        (_extra_key, "unexpected surprise"),
        (_wrong_shape, "mattes.bias has shape (3,)"),
        (_not_a_number, "not finite"),
        (_same_everywhere, "the same alpha everywhere (0.50)"),
        (lambda: [1, 2, 3], "does not hold a dictionary of tensors"),
        (None, "not a readable checkpoint"),
    ],
)
def test_a_bad_file_is_400_with_what_is_wrong_and_the_old_model_stays(
    trying_worker: None, alice: Person, weights_dir: Path, make, reason: str
) -> None:
    if make is None:
        (weights_dir / "bad.pth").write_bytes(b"this is no checkpoint" * 100)
    else:
        torch.save(make(), weights_dir / "bad.pth")

    answer = reload(alice, "bad.pth")

    assert answer.status_code == 400
    assert reason in answer.json()["error"]
    assert str(weights_dir) not in answer.json()["error"]
    assert not ModelVersion.objects.exists()


class _Malicious:
    """An object that creates a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


def test_a_checkpoint_that_would_run_code_is_refused_unrun(
    trying_worker: None, alice: Person, weights_dir: Path, tmp_path: Path
) -> None:
    torch.save({"mattes.bias": _Malicious(tmp_path / "owned")}, weights_dir / "bad.pth")

    answer = reload(alice, "bad.pth")

    assert answer.status_code == 400
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret.pth", "{folder}/../secret.pth", "link.pth"])
def test_a_file_outside_the_weights_folder_is_403(
    trying_worker: None, alice: Person, weights_dir: Path, tmp_path: Path, path: str
) -> None:
    torch.save({}, tmp_path / "secret.pth")
    (weights_dir / "link.pth").symlink_to(tmp_path / "secret.pth")

    answer = reload(alice, path.format(folder=weights_dir))

    assert answer.status_code == 403
    assert_matches(answer.json(), fixture("unet/error.json"))


@pytest.mark.parametrize("path", ["missing.pth", ".", "", None, 5.5, "bad\0.pth"])
def test_a_path_to_no_file_is_400(trying_worker: None, alice: Person, weights_dir: Path, path: object) -> None:
    answer = reload(alice, path)

    assert answer.status_code == 400
    assert_matches(answer.json(), fixture("unet/error.json"))


def test_a_key_without_the_admin_scope_may_not(trying_worker: None, alice: Person, weights_dir: Path) -> None:
    torch.save(shipped(), weights_dir / "mine.pth")
    program = make_person("program", alice.team, Membership.Role.OWNER, scopes=("submit", "read", "server-files"))

    answer = reload(program, "mine.pth")

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_without_a_worker_it_is_503_and_nothing_changes(
    alice: Person, weights_dir: Path, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MATTING_ACTIVATION_WAIT_S = 1
    torch.save(shipped(), weights_dir / "mine.pth")

    answer = reload(alice, "mine.pth")

    assert (answer.status_code, answer.json()["code"]) == (503, "timeout")
    assert not ModelVersion.objects.exists()


def test_asking_waits_for_the_answer_of_another_thread(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_elsewhere(task: Task, *args: object, queue_name: str, reply_to: str) -> None:
        threading.Timer(0.05, queue.reply, (reply_to, {"asked": [task.name, *args]})).start()

    monkeypatch.setattr(queue, "enqueue_task", run_elsewhere)

    assert queue.ask(WEIGHTS_TRY, 1, queue_name="interactive", timeout_s=10) == {"asked": ["weights_try", 1]}
