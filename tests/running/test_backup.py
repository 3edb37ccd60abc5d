"""Tests of a backup of a running site: another site can restore it, with all files and a valid audit trail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.postgres import running_postgres
from tests.stack import ROOT

pytestmark = pytest.mark.slow


@dataclass
class SiteFolder:
    """The data folder and the database of a site. Its methods run management commands."""

    folder: Path
    database_url: str = ""

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MATTING_")}
        environment = kept | {"DJANGO_SETTINGS_MODULE": "mattingsite.settings", "MATTING_DATA_DIR": str(self.folder)}
        if self.database_url:
            environment["DATABASE_URL"] = self.database_url
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)

    def done(self, *arguments: str) -> str:
        run = self.manage(*arguments)
        assert run.returncode == 0, run.stderr[-2000:]
        return run.stdout


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[SiteFolder, Path]:
    """Create a site with jobs and files and back it up; return the site and the folder of the backup."""
    folder = tmp_path_factory.mktemp("site")
    site = SiteFolder(folder / "var")
    site.done("setup")
    site.done("seed_jobs", "--jobs", "20", "--files", "4", "--teams", "2")
    # Seed_jobs creates files only for some jobs; the files of the others are missing.
    site.manage("backup", str(folder / "backups"))
    [backup] = (folder / "backups").iterdir()
    return site, backup


def test_a_restored_site_has_the_rows_the_files_and_the_audit_trail(
    backed_up: tuple[SiteFolder, Path], tmp_path: Path
) -> None:
    site, backup = backed_up
    copied = [path for path in (backup / "files").rglob("*") if path.is_file()]
    other = SiteFolder(tmp_path / "var")

    restored = other.manage("restore", str(backup))

    assert "audit trail verified" in restored.stdout, restored.stderr
    assert copied
    stored = [path for path in (tmp_path / "var" / "media" / "teams").rglob("*") if path.is_file()]
    assert len(stored) == len(copied)
    assert other.done("verify_audit") == site.done("verify_audit")
    assert "Everything is up to date." in other.done("setup")


def test_a_backup_is_private_and_says_what_it_contains(backed_up: tuple[SiteFolder, Path]) -> None:
    _, backup = backed_up
    manifest = json.loads((backup / "manifest.json").read_text())

    assert backup.stat().st_mode & 0o777 == 0o700
    assert (backup / "database.sqlite3").stat().st_mode & 0o777 == 0o600
    assert manifest["rows"]["jobs.Job"] == 20
    assert manifest["keyline"]


def test_a_changed_backup_is_refused(backed_up: tuple[SiteFolder, Path], tmp_path: Path) -> None:
    _, backup = backed_up
    with (backup / "files.jsonl").open("a") as listed:
        listed.write("{}\n")
    try:
        refused = SiteFolder(tmp_path / "var").manage("restore", str(backup))
    finally:
        lines = (backup / "files.jsonl").read_text().splitlines()[:-1]
        (backup / "files.jsonl").write_text("\n".join(lines) + "\n")

    assert refused.returncode == 1
    assert "was changed" in refused.stderr
    assert not (tmp_path / "var" / "keyline.sqlite3").exists()


def test_a_site_with_users_is_not_overwritten_by_accident(backed_up: tuple[SiteFolder, Path]) -> None:
    site, backup = backed_up

    refused = site.manage("restore", str(backup))

    assert refused.returncode == 1
    assert "--replace" in refused.stderr


def test_a_postgresql_database_is_dumped_and_restored(postgres_url: str, tmp_path: Path) -> None:
    site = SiteFolder(tmp_path / "var", postgres_url)
    site.done("setup")
    before = site.done("verify_audit")
    site.done("backup", str(tmp_path / "backups"))
    [backup] = (tmp_path / "backups").iterdir()
    site.done("create_key", "--team", "Made after the backup", "--name", "x")
    assert site.done("verify_audit") != before

    site.done("restore", str(backup), "--replace")

    assert site.done("verify_audit") == before


def test_a_site_moves_from_sqlite_to_postgresql_with_a_valid_audit_trail(
    backed_up: tuple[SiteFolder, Path], tmp_path: Path
) -> None:
    site, _ = backed_up
    with running_postgres() as url:
        moved = SiteFolder(tmp_path / "var", url)

        printed = moved.done("move_database", str(site.folder / "keyline.sqlite3"))

        assert "Moved. The audit trail is valid" in printed
        assert re.search(r"^\s*20 jobs\.Job$", printed, flags=re.MULTILINE)
        assert moved.done("verify_audit") == site.done("verify_audit")
        assert moved.done("create_key", "--team", "After the move", "--name", "x").startswith("id ")
        again = moved.manage("move_database", str(site.folder / "keyline.sqlite3"))
        assert "must be empty" in again.stderr
