"""Tests that each page docs/api-<name>.md describes all routes, fields, defaults and errors of its API.

The snippets of the page must work.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image
from rest_framework import serializers

from tests import photos
from tests.api.contracts import Contract, every_contract, published
from tests.api.picture_server import PictureServer
from tests.snippets import LANGUAGES, Reader, snippets_of
from tests.stack import Stack

CONTRACTS = {contract.name: contract for contract in every_contract()}
DIALECTS = [contract.name for contract in published()]
LARGE_SIDE_PX = 1200


def page_of(name: str) -> str:
    return (settings.BASE_DIR / "docs" / f"api-{name}.md").read_text()


def rows_of(page: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in page.splitlines() if line[:2] == "| "]


@pytest.mark.parametrize("name", DIALECTS)
def test_every_route_is_described(name: str) -> None:
    routes = [str(entry.pattern) for entry in import_module(f"jobs.api.{name}.urls").urlpatterns]
    named = [re.sub(r"<\w+:(\w+)>", r"{\1}", route) for route in routes if not route.startswith("^")]
    page = page_of(name).replace("{id}", "{task_id}")

    assert [route for route in named if f"/{route}" not in page and not _shortened(route, page)] == []


def _shortened(route: str, page: str) -> bool:
    """Return whether the page contains a short form of the route: an ellipsis and the route's last two parts."""
    return f"…/{'/'.join(route.split('/')[-2:])}" in page


@pytest.mark.parametrize("name", DIALECTS)
def test_every_field_is_described_with_its_default(name: str) -> None:
    rows = rows_of(page_of(name))
    missing = []
    for field_name, field in _fields(CONTRACTS[name]):
        described = [row for row in rows if f"`{field_name}`" in row[0]]
        if not any(_default_in(row, field) for row in described):
            missing.append(field_name)

    assert missing == []


def _fields(contract: Contract) -> list[tuple[str, serializers.Field]]:
    return [entry for kind in contract.serializers for entry in kind().fields.items()]


def _default_in(row: list[str], field: serializers.Field) -> bool:
    if field.default in (serializers.empty, ""):
        return True
    written = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"`{written}`" in " ".join(row[1:])


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_error_is_described_on_the_page_of_its_api(name: str) -> None:
    contract = CONTRACTS[name]
    described = {
        code: row[0].replace("`", "")
        for row in rows_of(page_of(name).partition("## Errors")[2])
        for code in re.findall(r"`(\w+)`", row[-1])
    }
    expected = {code: contract.written(code) for code in contract.codes if code not in contract.untold}

    assert described == expected


@pytest.mark.e2e
@pytest.mark.parametrize("name", DIALECTS)
def test_the_snippets_run(name: str, live_stack: Stack, picture_server: PictureServer, tmp_path: Path) -> None:
    large = Image.fromarray(photos.astronaut()).resize((LARGE_SIDE_PX, LARGE_SIDE_PX))
    large.save(tmp_path / "photo.jpg", quality=98)
    sent = (tmp_path / "photo.jpg").read_bytes()
    for file in ("photo.jpg", "people.jpg", "image.png"):
        picture_server.add(file, sent)
    key_id, key = live_stack.create_key(team="Readers")
    reader = Reader(live_stack, key_id, key, f"http://127.0.0.1:{picture_server.port}", tmp_path)
    snippets = snippets_of(page_of(name))

    for text, language in snippets:
        reader.run(text, language)

    assert len(sent) > 400_000  # more than a command line accepts as base64
    assert {language for _, language in snippets} == set(LANGUAGES)
    written = sorted({file for text, _ in snippets for file in re.findall(r"cutout[\w-]*\.png", text)})
    assert len(written) >= len(LANGUAGES)
    for file in written:
        assert Image.open(tmp_path / file).size == (LARGE_SIDE_PX, LARGE_SIDE_PX), file
