"""Tests that the systemd units are valid, stop gracefully and start at boot."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.stack import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service")) + sorted((ROOT / "deploy" / "systemd").glob("*.timer"))
SERVICES = [unit for unit in UNITS if unit.name in ("keyline.service", "keyline-web.service", "keyline-worker.service")]


def read(unit: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return parser


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_every_unit(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text().replace("/srv/keyline/.venv/bin/python", sys.executable)
        (tmp_path / unit.name).write_text(text.replace("/srv/keyline", str(ROOT)))

    done = subprocess.run(
        ["systemd-analyze", "--man=no", "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )

    ours = [line for line in (done.stdout + done.stderr).splitlines() if "keyline" in line]
    assert ours == []


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_has_a_user_starts_at_boot_and_stops_its_children_in_order(unit: Path) -> None:
    service = read(unit)

    assert service["Service"]["KillMode"] == "mixed"
    assert service["Service"]["User"] == "keyline"
    assert service["Service"]["Restart"] == "always"
    assert service["Unit"]["After"].startswith("network-online.target")
    assert service["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize("name", ["keyline", "keyline-web"])
def test_a_stop_lasts_longer_than_the_longest_wait_of_a_request(name: str) -> None:
    service = read(ROOT / "deploy" / "systemd" / f"{name}.service")

    assert int(service["Service"]["TimeoutStopSec"]) > settings.MATTING_MAX_WAIT_S + 15


def test_the_example_names_only_known_variables() -> None:
    known = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), flags=re.MULTILINE))
    text = (ROOT / "deploy" / "systemd" / "keyline.env.example").read_text()

    used = {name.removesuffix("_FILE") for name in re.findall(r"^(?:# )?([A-Z_]+)=", text, flags=re.MULTILINE)}

    assert used - known == set()


def test_commands_run_with_the_user_folder_and_settings_of_the_units() -> None:
    script = (ROOT / "deploy" / "systemd" / "keyline-manage").read_text()
    service = read(ROOT / "deploy" / "systemd" / "keyline.service")["Service"]
    program, command, *_ = service["ExecStart"].split()

    for part in (
        f"--uid={service['User']} --gid={service['Group']}",
        f"--property=EnvironmentFile={service['EnvironmentFile']} --setenv={service['Environment']}",
        f"--property=UMask={service['UMask']} --working-directory={service['WorkingDirectory']}",
        f'{program} {command} "$@"',
    ):
        assert part in script


def test_the_backup_makes_its_folder_for_the_user_of_the_site() -> None:
    service = read(ROOT / "deploy" / "systemd" / "keyline-backup.service")["Service"]
    folder = service["ExecStart"].split()[-1]

    assert service["ExecStartPre"].startswith("+/usr/bin/install -d -o keyline")
    assert service["ExecStartPre"].endswith(folder)
