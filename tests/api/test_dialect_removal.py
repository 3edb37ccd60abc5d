"""Tests that a dialect (an API that imitates another service) can be removed.

The rest of the program must work without the dialect's folder and tests.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from jobs.api import registry

DIALECTS = [dialect.name for dialect in registry.dialects()]
APIS = [*DIALECTS, "mcp"]  # MCP has tools instead of routes
COMMANDS = ("jobs/management/commands/mcp.py",)  # these programs serve one API only, and report when it is missing
# The program and its tests, without data.
COPIED = (
    "jobs",
    "mattingsite",
    "segmentation",
    "training",
    "webserver",
    "client",
    "templates",
    "static",
    "docs",
    "tests",
    "locale",
)
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
# Shared code that must not name a dialect. Migrations are excluded, because they describe the past.
SHARED = ("jobs", "mattingsite", "templates", "static")
# The tests of the code that all dialects share; the other tests of these folders are imported, but not run.
SMOKE = "test_error_table or test_schema.py or test_registry or test_import_direction or test_fields.py"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return a folder with a copy of the program. Tests remove an API from this copy."""
    for name in COPIED:
        shutil.copytree(settings.BASE_DIR / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "weights").symlink_to(settings.BASE_DIR / "weights")
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy2(settings.BASE_DIR / name, tmp_path / name)
    return tmp_path


def remove(program: Path, dialect: str) -> None:
    shutil.rmtree(program / "jobs" / "api" / dialect)
    shutil.rmtree(program / "tests" / "api" / dialect)
    shutil.rmtree(program / "tests" / "api" / "fixtures" / dialect, ignore_errors=True)


def run_tests(program: Path) -> None:
    """Import all API tests of the copied program and run the tests that all APIs share; fail if a test fails."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-n", "0", "-m", "not e2e"]
    done = subprocess.run(
        [*command, "tests/api", "tests/test_import_direction.py", "-k", f"({SMOKE}) and not removal"],
        cwd=program,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize("dialect", APIS)
def test_shared_code_does_not_name_a_dialect(dialect: str) -> None:
    name = re.compile(rf"(?<![a-z]){dialect}(?![a-z])", re.IGNORECASE)
    folder = settings.BASE_DIR / "jobs" / "api" / dialect
    files = [
        path
        for part in SHARED
        for path in (settings.BASE_DIR / part).rglob("*.*")
        if path.suffix in (".py", ".html", ".css", ".js") and "migrations" not in path.parts
    ]

    mentions = [str(path) for path in files if not path.is_relative_to(folder) and name.search(path.read_text())]
    own = [str(settings.BASE_DIR / command) for command in COMMANDS]

    assert [path for path in mentions if path not in own] == []


@pytest.mark.slow
def test_the_site_works_without_any_dialect(program: Path) -> None:
    for dialect in APIS:
        remove(program, dialect)

    run_tests(program)
    refusal = subprocess.run(
        [sys.executable, "manage.py", "mcp"], cwd=program, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert (refusal.returncode, "without the tools for assistants" in refusal.stderr) == (1, True)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", APIS)
def test_the_site_works_without_one_dialect(program: Path, dialect: str) -> None:
    remove(program, dialect)

    run_tests(program)
