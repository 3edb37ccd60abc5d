"""Tests that all files contain the same version of the project.

If the changelog has new entries, this version must be newer than the last release.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.version import Version

from mattingsite import __version__
from tests.stack import ROOT
from tests.test_lock import locked

CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def test_the_command_tells_the_version() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "--version"], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"Keyline {__version__}\n"


def test_the_list_of_packages_gets_the_same_version() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_the_version_is_newer_than_the_newest_release_while_there_are_unreleased_changes() -> None:
    unreleased, _, released = CHANGELOG.partition("\n## 1")
    newest = re.match(r"[\d.]+", "1" + released)
    assert newest

    if re.search(r"^- ", unreleased.partition("## Unreleased")[2], flags=re.MULTILINE):
        assert Version(__version__) > Version(newest[0])
    else:
        assert __version__ == newest[0]


def test_releases_have_dates_and_stand_in_order() -> None:
    releases = re.findall(r"^## (\d\S*) \((\d{4}-\d\d-\d\d)\)$", CHANGELOG, flags=re.MULTILINE)

    assert len(releases) == len(re.findall(r"^## \d", CHANGELOG, flags=re.MULTILINE))
    assert releases == sorted(releases, key=lambda one: Version(one[0]), reverse=True)
    assert [date for _, date in releases] == sorted((date for _, date in releases), reverse=True)


def test_security_md_says_where_to_report_and_which_versions_get_fixes() -> None:
    text = (ROOT / "SECURITY.md").read_text()

    for heading in ("## Reporting", "## Supported versions"):
        assert heading in text


def test_the_list_of_packages_has_every_locked_version_and_nearly_every_licence(tmp_path: Path) -> None:
    target = tmp_path / "keyline.cdx.json"
    subprocess.run([sys.executable, str(ROOT / ".ci" / "sbom"), str(target)], check=True)

    document = json.loads(target.read_text())

    assert document["metadata"]["component"]["version"] == __version__
    listed = {component["name"]: component["version"] for component in document["components"]}
    assert listed == locked("requirements.lock") | locked("requirements-optional.lock")
    unknown = [component["name"] for component in document["components"] if "licenses" not in component]
    assert len(unknown) < len(listed) / 20, unknown
