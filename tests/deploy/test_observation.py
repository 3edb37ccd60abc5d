"""Tests that the alerts, the dashboard and the manifests are valid, and use only existing metrics and commands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.core.management import get_commands

from tests.stack import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "keyline.json"
MANIFESTS = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
# The schemas of these objects are not part of Kubernetes.
EXTENSIONS = ("Kustomization", "ScaledObject")
TABLE = re.findall(r"^\| (`keyline_[^|]+) \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
DOCUMENTED = {name for cell in TABLE for name in re.findall(r"keyline_\w+", cell)}


def metrics_named(text: str) -> set[str]:
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\bkeyline_[a-z_]+", text)}


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts.test.yml"),
        ("check", "config", "--syntax-only", "prometheus.yml"),
    ],
)
def test_promtool_accepts_the_alerts(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_and_dashboard_name_metrics_that_exist() -> None:
    alerts = [rule["expr"] for group in documents(PROMETHEUS / "alerts.yml")[0]["groups"] for rule in group["rules"]]
    panels = [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]]
    scaling = [trigger["metadata"]["query"] for trigger in _autoscaling()["spec"]["triggers"]]

    assert metrics_named("\n".join([*alerts, *panels, *scaling])) - DOCUMENTED == set()


def test_every_alert_is_explained() -> None:
    rules = [rule for group in documents(PROMETHEUS / "alerts.yml")[0]["groups"] for rule in group["rules"]]
    page = (ROOT / "docs" / "incidents.md").read_text()

    assert {rule["alert"] for rule in rules if f"`{rule['alert']}`" not in page} == set()


def test_the_panels_of_the_dashboard_have_places_of_their_own() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_the_manifests_fit_the_schemas_of_kubernetes(path: Path) -> None:
    for document in documents(path):
        if document["kind"] not in EXTENSIONS:
            kubernetes_validate.validate(document, "1.31", strict=True)


def test_the_kustomization_lists_every_manifest() -> None:
    listed = documents(ROOT / "deploy" / "kubernetes" / "kustomization.yaml")[0]["resources"]

    assert sorted([*listed, "kustomization.yaml"]) == [path.name for path in MANIFESTS]


def test_containers_in_kubernetes_have_no_rights_and_run_commands_that_exist() -> None:
    seen = 0
    for path in MANIFESTS:
        for document in documents(path):
            pod = document.get("spec", {}).get("template", {}).get("spec")
            if not pod or "containers" not in pod:
                continue
            assert pod["securityContext"]["runAsNonRoot"] is True
            for container in [*pod.get("initContainers", []), *pod["containers"]]:
                seen += 1
                assert container["securityContext"]["readOnlyRootFilesystem"] is True
                assert container["resources"]["limits"]["memory"]
                command = container["command"]
                assert command[:3] == ["python3", "-m", "webserver"] or command[2] in get_commands()
    assert seen == 4


def test_the_autoscaling_names_the_deployment_of_the_workers() -> None:
    worker = documents(ROOT / "deploy" / "kubernetes" / "worker.yaml")[0]

    assert _autoscaling()["spec"]["scaleTargetRef"]["name"] == worker["metadata"]["name"]
    assert "replicas" not in worker["spec"]


def _autoscaling() -> dict[str, Any]:
    return documents(ROOT / "deploy" / "kubernetes" / "autoscaling.yaml")[0]
