"""Tests that docs/api-native.md describes each route and field, and that its examples work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from PIL import Image

from jobs.api.native.serializers import JobRequestSerializer
from jobs.api.native.urls import urlpatterns
from segmentation.options import CutoutOptions
from tests.api.test_schema import schema
from tests.stack import Stack

PAGE = (settings.BASE_DIR / "docs" / "api-native.md").read_text()
FIELDS = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE, re.MULTILINE))


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found, language
    return found[1]


def test_every_route_is_described() -> None:
    routes = [re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)) for pattern in urlpatterns]

    assert [route for route in routes if f"/{route}" not in PAGE] == []


def test_every_field_is_described_with_its_default() -> None:
    defaults = CutoutOptions().to_json()

    assert set(JobRequestSerializer().fields) - set(FIELDS) == set()
    wrong = {name for name, default in defaults.items() if FIELDS[name].strip("`") != _written(default)}
    assert wrong == set()


def test_every_field_of_the_other_routes_is_described() -> None:
    """Options of a submission have rows of their own, and `POST /api/jobs/` has the first table."""
    described: dict[str, set[str]] = {}
    route = ""
    for first, names in re.findall(
        r"^\| (`(?:GET|POST|PUT|PATCH|DELETE) [^`]+`)? ?\| (`\w+`[^|]*) \|", PAGE, re.MULTILINE
    ):
        route = first.strip("`") or route
        described.setdefault(route, set()).update(re.findall(r"`(\w+)`", names))
    missing = []
    for path, operations in schema()["paths"].items():
        for method, operation in operations.items():
            if operation["tags"] == ["Native"] and operation["operationId"] != "jobs_submit":
                told = described.get(f"{method.upper()} {path}", set()) | set(CutoutOptions().to_json())
                told |= {"position"} if "{number}" in path else set()  # described with the list of versions
                missing += [f"{method} {path} {name}" for name in _fields_of(operation) - told]

    assert missing == []


def _fields_of(operation: dict[str, Any]) -> set[str]:
    """Return the names of an operation's query parameters and of the fields of its body."""
    names = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        names |= set(schema()["components"]["schemas"].get(name, {}).get("properties", ()))
    return names


def _written(default: object) -> str:
    if default is None:
        return "none"
    if isinstance(default, list):
        return ",".join(str(value) for value in default) or "none"
    return str(default).lower() if isinstance(default, bool) else str(default)


@pytest.fixture
def folder(tmp_path: Path, jpeg_bytes: bytes) -> Path:
    (tmp_path / "photo.jpg").write_bytes(jpeg_bytes)
    return tmp_path


def run(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.e2e
def test_the_snippets_run(live_stack: Stack, folder: Path) -> None:
    _, secret = live_stack.create_key(team="Studio")
    url = live_stack.base_url
    python = f"URL, KEY = {url!r}, {secret!r}\n{snippet('python')}"
    script = f"import {{ readFile }} from 'node:fs/promises';\nconst URL = '{url}', KEY = '{secret}';\n{snippet('js')}"
    (folder / "snippet.mjs").write_text(script)

    run(["sh", "-c", snippet("sh")], folder, KEY=secret, URL=url)
    files = run([sys.executable, "-c", python], folder)
    status = run(["node", "snippet.mjs"], folder)

    assert Image.open(folder / "cutout.png").mode == "RGBA"
    assert {line.split()[0] for line in files.splitlines()} >= {"cutout", "mask"}
    assert status.strip() == "succeeded"
