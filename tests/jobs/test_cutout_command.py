"""Stages 1 to 8 from the command line: results never take the place of what was there to be cut out."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from tests import photos
from tests.fakes import FakeEngine, answering


@pytest.fixture(autouse=True)
def _known_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.inference.engines.engine_for_command", lambda quality: answering(FakeEngine()))


def written(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(photos.encoded("JPEG" if name.endswith("jpg") else "PNG"))
    return [str(folder / name) for name in names]


def test_no_photo_of_the_call_is_overwritten(tmp_path: Path):
    both = written(tmp_path, "a.jpg", "a.png")
    before = [Path(name).read_bytes() for name in both]

    call_command("cutout", *both, "--output", str(tmp_path))

    assert [Path(name).read_bytes() for name in both] == before
    assert (tmp_path / "a_cutout.png").exists()
    assert (tmp_path / "a_cutout_2.png").exists()


def test_photos_of_one_name_from_two_folders_give_two_results(tmp_path: Path):
    both = written(tmp_path, "one/a.jpg", "other/a.jpg")

    call_command("cutout", *both, "--mask", "--output", str(tmp_path / "out"))

    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["a.png", "a_cutout.png", "a_mask.png", "a_mask_cutout.png"]
