"""Tests of docs/tutorial.md: with the commands of the page, the client of each API cuts out the photo."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from tests.api.contracts import needs, published
from tests.mcp_over_http import serving_tools
from tests.snippets import Reader, client_installed, snippets_of
from tests.stack import Stack

PAGE = (settings.BASE_DIR / "docs" / "tutorial.md").read_text()
DIALECTS = ("baidu", "dashscope", "picwish", "rembg", "removebg", "unet")
CLIENTS = ("command", "package", "native", "fetch", "unet", "baidu", "picwish", "removebg", "rembg", "mcp")


def test_every_api_has_its_client_in_the_tutorial() -> None:
    linked = [contract.name for contract in published() if f"](api-{contract.name}.md)" in PAGE]

    assert linked == [contract.name for contract in published()]
    assert "](api-native.md)" in PAGE
    assert "](mcp.md)" in PAGE


@needs(*DIALECTS)
@pytest.mark.e2e
@pytest.mark.skipif(not (settings.BASE_DIR / "jobs" / "api" / "mcp").exists(), reason="no MCP")
def test_the_tutorial_runs(live_stack: Stack, tmp_path: Path, jpeg_bytes: bytes) -> None:
    (tmp_path / "photo.jpg").write_bytes(jpeg_bytes)
    key_id, key = live_stack.create_key(team="Learners")
    reader = Reader(live_stack, key_id, key, "", tmp_path, installed=client_installed(tmp_path / "client"))
    with serving_tools(live_stack) as port:
        reader = replace(reader, ports={"8765": str(port)})

        for text, language in snippets_of(PAGE):
            reader.run(text, language)

    for client in CLIENTS:
        cutout = Image.open(tmp_path / f"cutout-{client}.png")
        assert (cutout.mode, cutout.size) == ("RGBA", (512, 512)), client
    assert Image.open(tmp_path / "people.png").mode == "L"
    assert Image.open(tmp_path / "mask.png").mode == "L"
    assert Image.open(tmp_path / "chained.jpg").format == "JPEG"
    assert (tmp_path / "cutouts" / "photo.png").exists()
    assert zipfile.ZipFile(tmp_path / "results.zip").namelist() == ["photo.png"]
