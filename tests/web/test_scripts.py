"""Tests of the pages' scripts: imports have only one direction, and the developer tools have exact versions."""

from __future__ import annotations

import json
import re
from pathlib import Path

from django.conf import settings

from jobs.api.native.serializers import OWN_OPTIONS

ROOT = Path(settings.BASE_DIR)
SCRIPTS = ROOT / "static" / "js"
_IMPORT = re.compile(r"""^(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)";""", re.MULTILINE)
# The folders that the modules of a folder may import from; modules at the root may import from all folders.
ALLOWED = {
    "page": {"page"},
    "api": {"api", "page"},
    "settings": {"settings", "api", "page"},
    "gallery": {"gallery", "api", "page"},
    "recipes": {"recipes", "api", "page"},
    "upload": {"upload", "settings", "api", "page"},
    "editor": {"editor", "settings", "api", "page"},
}


def folder_of(path: Path) -> str:
    return path.relative_to(SCRIPTS).parts[0]


def test_imports_of_the_scripts_point_one_way():
    breaches = [
        f"{path.relative_to(SCRIPTS)} imports {target}"
        for path in sorted(SCRIPTS.glob("*/*.js"))
        for target in _IMPORT.findall(path.read_text())
        if folder_of((path.parent / target).resolve()) not in ALLOWED[folder_of(path)]
    ]

    assert breaches == []


def test_every_import_of_a_script_names_a_file():
    missing = [
        f"{path.relative_to(SCRIPTS)}: {target}"
        for path in sorted(SCRIPTS.rglob("*.js"))
        for target in _IMPORT.findall(path.read_text())
        if not (path.parent / target).is_file()
    ]

    assert missing == []


def test_the_developer_tools_are_pinned_and_come_from_whatever_registry_is_configured():
    package = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())

    assert all(re.fullmatch(r"[\d.]+", version) for version in package["devDependencies"].values())
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []


def test_page_and_api_agree_on_what_one_picture_may_have_to_itself():
    script = (SCRIPTS / "settings" / "options.js").read_text()
    found = re.findall(r"const (\w+) = [^\[]*\[([^\]]*)\]", script)
    lists = {name: re.findall(r'"(\w+)"', body) for name, body in found}

    assert {*lists["OWN"], *lists["OUTLINE"]} == set(OWN_OPTIONS)
