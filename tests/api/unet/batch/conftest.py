"""Fixtures of the tests of the UNet matting API's batch: a small picture, and the operator's folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import photos


@pytest.fixture
def small() -> bytes:
    return photos.encode(photos.astronaut()[:128, 180:308], "PNG")


@pytest.fixture
def inputs(settings, small: bytes) -> Path:
    """Create the operator's input folder, with two pictures and files that are not pictures; return the folder."""
    folder = Path(settings.MATTING_INPUT_ROOTS[0])
    folder.mkdir()
    (folder / "a.jpg").write_bytes(photos.encode(photos.astronaut()[:128, 180:308], "JPEG"))
    (folder / "b.png").write_bytes(small)
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden").write_text("left out")
    (folder / "deeper").mkdir()
    return folder


@pytest.fixture
def outputs(settings) -> Path:
    return Path(settings.MATTING_OUTPUT_ROOTS[0])
