"""Tests of the command `manage.py cutout`: its results do not overwrite the source pictures."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests import photos
from tests.fakes import EmptyEngine, FakeEngine, answering


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


def test_a_photo_in_which_nothing_is_found_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("jobs.inference.engines.engine_for_command", lambda quality: answering(EmptyEngine()))
    photo, said = written(tmp_path, "a.jpg")[0], io.StringIO()

    call_command("cutout", photo, "--output", str(tmp_path / "out"), stderr=said)

    assert f"{photo}: nothing: no subject was found" in said.getvalue()


def test_points_select_what_is_cut_out(tmp_path: Path):
    photo = written(tmp_path, "a.jpg")[0]

    call_command("cutout", photo, "--point", "90,60,1", "--point", "5,5,0", "--output", str(tmp_path / "out"))

    assert (tmp_path / "out" / "a.png").exists()
    with pytest.raises(CommandError, match="--point"):
        call_command("cutout", photo, "--point", "here", "--output", str(tmp_path / "out"))
