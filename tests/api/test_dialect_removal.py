"""A dialect is its folder, its include and its tests: taking them out leaves everything else as it was."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.slow

DIALECTS = [
    name for name in ("unet", "baidu", "dashscope", "picwish") if (settings.BASE_DIR / "jobs" / "api" / name).exists()
]
# What the copy needs: the program and its tests, none of the data.
COPIED = ("jobs", "mattingsite", "segmentation", "templates", "static", "docs", "tests", "weights", "locale")
TESTS_A_DOOR = 2  # of those that need no running site


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program."""
    copy = tmp_path_factory.mktemp("program")
    for name in COPIED:
        if (settings.BASE_DIR / name).is_dir():
            shutil.copytree(settings.BASE_DIR / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy2(settings.BASE_DIR / name, copy / name)
    return copy


def take_out(program: Path, dialect: str) -> None:
    """Remove the folder, the one line that mounts it, and its tests."""
    shutil.rmtree(program / "jobs" / "api" / dialect)
    shutil.rmtree(program / "tests" / "api" / dialect)
    shutil.rmtree(program / "tests" / "api" / "fixtures" / dialect)
    urls = program / "mattingsite" / "urls.py"
    lines = urls.read_text().splitlines(keepends=True)
    kept = [line for line in lines if f'include("jobs.api.{dialect}.urls")' not in line]
    assert len(kept) == len(lines) - 1
    urls.write_text("".join(kept))


def run(program: Path, *command: str) -> str:
    environment = {"PATH": "/usr/bin:/bin", "MATTING_DATA_DIR": str(program / "var"), "HOME": str(program)}
    done = subprocess.run(
        [sys.executable, *command], cwd=program, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_outside_a_dialect_imports_it(dialect: str) -> None:
    wanted = re.compile(rf"(from|import) jobs\.api\.{dialect}\b|from jobs\.api import .*\b{dialect}\b")
    files = [
        path
        for folder in ("jobs", "segmentation", "mattingsite")
        for path in (settings.BASE_DIR / folder).rglob("*.py")
        if dialect not in path.parts
    ]

    assert [str(path) for path in files if wanted.search(path.read_text())] == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_site_works_without_a_dialect(program: Path, dialect: str, tmp_path: Path) -> None:
    copy = shutil.copytree(program, tmp_path / "program")

    take_out(copy, dialect)

    run(copy, "manage.py", "check")
    pytest_quietly = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    collected = run(copy, *pytest_quietly, "tests/api", "tests/jobs", "--collect-only", "-m", "not e2e").splitlines()
    chosen = []
    for other in DIALECTS:
        chosen += [line for line in collected if line.startswith(f"tests/api/{other}/")][:TESTS_A_DOOR]
    assert len(chosen) == TESTS_A_DOOR * (len(DIALECTS) - 1)
    run(copy, *pytest_quietly, "-x", *chosen)
