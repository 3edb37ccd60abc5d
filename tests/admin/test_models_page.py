"""Tests of the page Models, which lists installed and active models and activates a model with one click."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from jobs.inference.comparison import Comparison, outcomes
from jobs.inference.installed import installed_models
from jobs.models import AuditEntry, Job, JobImage, ModelVersion, Role, Status, Team, Tier
from jobs.work import queue
from tests.segmentation.onnx_networks import red_network
from tests.stack import ROOT

pytestmark = pytest.mark.django_db

PAGE = "/admin/jobs/modelversion/"


@pytest.fixture
def weights_dir(settings: Settings, tmp_path: Path) -> Path:
    """Create a folder with two weight files, one with a free and one with an unknown licence; return the folder."""
    settings.MATTING_WEIGHTS_DIR = tmp_path
    for name, licence in (("free", "MIT"), ("unclear", "unknown")):
        red_network(tmp_path / f"{name}.onnx")
        manifest = {"name": name, "size": 64, "output": "alpha", "licence": licence, "terms": f"Terms of {name}."}
        (tmp_path / f"{name}.json").write_text(json.dumps(manifest))
    return tmp_path


@pytest.fixture(autouse=True)
def _trying_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the task that tests a weight file in a worker with a function that accepts every file."""

    def ask(task: object, path: str, *args: object, **values: object) -> dict[str, Any]:
        name = Path(path).stem
        return {
            "name": name,
            "sha256": name.ljust(64, "0"),
            "architecture": "SalientEngine",
            "roles": ["subject", "prompts"],
            "licence": "MIT" if name == "free" else "unknown",
            "needs_acceptance": name != "free",
            "storage_key": f"weights/{name}.onnx",
            "host": "here",
        }

    monkeypatch.setattr(queue, "ask", ask)


def activate(browser: Client, path: str, place: str, **more: str) -> str:
    """Activate the weight file `path` with the form of the page Models, and return the HTML of the next page.

    place: the role and the tier for which the file is activated, such as `subject-fine`.
    more: other fields of the form.
    """
    answer = browser.post(f"{PAGE}activate/", {"path": path, "place": place} | more, follow=True)
    return answer.content.decode()


def test_the_page_shows_the_built_in_model_and_what_is_installed(root: Client, weights_dir: Path) -> None:
    queue.beat("w1", {"host": "alpha", "role": "pictures", "weights": [], "missing": ["large"], "loaded": []})

    page = root.get(PAGE).content.decode()

    for text in (
        "keyline-small",
        "built in",
        "free.onnx",
        "unclear.onnx",
        "alpha",
        "lacks large",
        "fetch_weights u2net",
    ):
        assert text in page


def test_each_role_shows_where_its_model_runs_and_what_a_picture_costs(root: Client, weights_dir: Path) -> None:
    built_in = next(file for file in installed_models() if Role.SUBJECT in file.built_in_for)
    loaded = {"version": built_in.sha256[:12], "runtime": "openvino", "device": "cpu", "megabytes": 250}
    queue.beat("w1", {"host": "alpha", "role": "pictures", "loaded": [loaded]})
    team = Team.objects.create(name="Studio")
    job = Job.objects.create(team=team, dialect=Job.Dialect.NATIVE, options={}, images_total=1)
    done = {
        "status": Status.SUCCEEDED,
        "finished_at": timezone.now(),
        "tier": Tier.FAST,
        "timings_ms": {"model": 158.2},
    }
    JobImage.objects.create(job=job, model_version=f"{built_in.name} {built_in.sha256[:12]}", **done)

    page = root.get(PAGE).content.decode()

    roles = page.partition("<h2>Installed")[0]
    assert "alpha: openvino, cpu, 250 MB" in roles
    assert "158 ms" in roles


def test_each_role_shows_measured_figures_and_the_weight_in_quotas(
    root: Client, weights_dir: Path, settings: Settings
) -> None:
    settings.MATTING_QUALITY_UNITS = {"fine": 7}

    roles = root.get(PAGE).content.decode().partition("<h2>Installed")[0]

    metrics = json.loads(Path(settings.SHIPPED_WEIGHTS).with_suffix(".json").read_text())["metrics"]["val-duts"]
    assert f"val-duts max_f {metrics['max_f']}" in roles
    assert roles.count('<td class="kl-number">7</td>') == len(Role)


def test_an_installed_public_model_shows_the_figures_of_the_comparison(root: Client, weights_dir: Path) -> None:
    red_network(weights_dir / "isnet-general-use.onnx")
    (weights_dir / "isnet-general-use.json").write_text(json.dumps({"name": "isnet-general-use", "size": 64}))
    measured = Comparison.from_json(json.loads((ROOT / "docs" / "qualities.json").read_text()))
    fast, fine = outcomes(measured.photos)[:2]

    page = root.get(PAGE).content.decode()

    assert f"200 mixed photos mean_error {fine.error:.4f}" in page
    assert f"mean_error_of_keyline-small {fast.error:.4f}" in page


def test_one_click_activates_a_model_in_a_role_and_tier(operator: Client, weights_dir: Path) -> None:
    activate(operator, "free.onnx", "subject-fine")

    version = ModelVersion.objects.get()
    assert (version.name, version.role, version.tier, version.is_active) == ("free", Role.SUBJECT, Tier.FINE, True)
    entry = AuditEntry.objects.get(action="model.activated")
    assert (entry.actor_name, entry.after["roles"], entry.after["licence"]) == ("operator", ["subject"], "MIT")


def test_an_unclear_licence_needs_a_tick_that_is_recorded(operator: Client, weights_dir: Path) -> None:
    refused = activate(operator, "unclear.onnx", "subject-fine")
    assert "accept it first" in refused
    assert not ModelVersion.objects.exists()

    activate(operator, "unclear.onnx", "subject-fine", accept="yes")

    assert ModelVersion.objects.get().licence_accepted
    assert AuditEntry.objects.get(action="model.activated").after["licence_accepted"] is True


def test_the_terms_of_use_are_shown_where_a_model_is_chosen(root: Client, weights_dir: Path) -> None:
    page = root.get(PAGE).content.decode()

    assert "Terms of unclear." in page.partition("<h2>Installed")[2]
    assert "They were trained on DIS5K among others" in page


@pytest.mark.parametrize(
    "changed", [{}, {"sha256": "another content".ljust(64, "0")}, {"licence": "CC-BY-NC-4.0"}], ids=str
)
def test_activating_again_takes_over_only_the_acceptance_of_the_same_file_and_licence(
    operator: Client, weights_dir: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]
) -> None:
    activate(operator, "unclear.onnx", "subject-fine", accept="yes")
    earlier = ModelVersion.objects.get()
    operator.post(f"{PAGE}deactivate/", {"place": "subject-fine"})
    ask = queue.ask
    monkeypatch.setattr(queue, "ask", lambda *args, **values: ask(*args, **values) | changed)

    operator.post(PAGE, {"action": "serve", "_selected_action": [str(earlier.pk)]})

    assert ModelVersion.objects.filter(is_active=True, licence_accepted=True).exists() is not bool(changed)


def test_a_model_is_not_activated_in_a_role_that_it_cannot_answer(operator: Client, weights_dir: Path) -> None:
    page = activate(operator, "free.onnx", "people-fast")

    assert "cannot answer the role" in page
    assert not ModelVersion.objects.exists()


def test_deactivating_leaves_the_place_to_the_built_in_model(operator: Client, weights_dir: Path) -> None:
    activate(operator, "free.onnx", "subject-fast")

    operator.post(f"{PAGE}deactivate/", {"place": "subject-fast"})

    assert not ModelVersion.objects.get().is_active
    assert AuditEntry.objects.filter(action="model.deactivated").exists()


def test_an_auditor_reads_the_page_and_activates_nothing(auditor: Client, weights_dir: Path) -> None:
    assert "Activate</button>" not in auditor.get(PAGE).content.decode()
    assert auditor.post(f"{PAGE}activate/", {"path": "free.onnx", "place": "subject-fast"}).status_code == 404
    assert not ModelVersion.objects.exists()


@pytest.mark.parametrize("place", ["", "subject", "subject-large", "animal-fast"])
def test_an_unknown_place_is_not_found(root: Client, weights_dir: Path, place: str) -> None:
    assert root.post(f"{PAGE}activate/", {"path": "free.onnx", "place": place}).status_code == 404
