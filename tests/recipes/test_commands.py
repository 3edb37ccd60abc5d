"""Tests of recipes on the command line: list, export, import, and apply them without a server."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from jobs.recipes.selectors import recipe_get
from jobs.recipes.services import recipe_save
from tests.cast import Person
from tests.fakes import FakeEngine, answering
from tests.photos import encoded
from tests.recipes.test_services import SHOP

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _model(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeEngine()
    monkeypatch.setattr("jobs.inference.engines.engine_for_command", lambda quality: answering(fake))


def said(*arguments: str) -> str:
    stream = io.StringIO()
    call_command("recipes", *arguments, stdout=stream)
    return stream.getvalue()


def test_an_export_can_be_imported_by_another_team(alice: Person, charlie: Person, tmp_path: Path) -> None:
    recipe_save(actor=alice.actor, name="shop", body=SHOP)
    file = tmp_path / "recipes.json"
    file.write_text(said("export", "--team", "Studio"))

    assert "1 recipes imported" in said("import", str(file), "--team", "Print shop")
    assert recipe_get(charlie.actor, "shop").recipe == recipe_get(alice.actor, "shop").recipe


def test_the_list_names_own_and_built_in_recipes(alice: Person) -> None:
    recipe_save(actor=alice.actor, name="shop", body=SHOP)

    lines = said("list", "--team", "Studio")

    assert "shop" in lines.splitlines()[0]
    assert "amazon-main" in lines


def test_a_bad_import_names_the_field(alice: Person, tmp_path: Path) -> None:
    file = tmp_path / "recipes.json"
    file.write_text(json.dumps({"shop": SHOP | {"treshold": 1}}))

    with pytest.raises(CommandError, match="treshold"):
        said("import", str(file), "--team", "Studio")


def test_a_photo_is_finished_by_a_built_in_recipe_and_by_a_file(tmp_path: Path) -> None:
    photo, recipe = tmp_path / "bag.jpg", tmp_path / "mine.json"
    photo.write_bytes(encoded("JPEG", quality=60))
    recipe.write_text(json.dumps(SHOP | {"canvas": {"width_px": 300, "height_px": 200}}))

    call_command("cutout", str(photo), "-o", str(tmp_path / "out"), "--recipe", "taobao-white", "--recipe", str(recipe))

    assert {path.name for path in (tmp_path / "out").iterdir()} == {"bag-taobao-white-1.jpg", "bag-mine-1.jpg"}
    assert Image.open(tmp_path / "out" / "bag-mine-1.jpg").size == (300, 200)


def test_a_photo_is_finished_by_a_recipe_of_a_team(alice: Person, tmp_path: Path) -> None:
    recipe_save(actor=alice.actor, name="shop", body=SHOP)
    photo = tmp_path / "bag.jpg"
    photo.write_bytes(encoded("JPEG", quality=60))

    call_command("cutout", str(photo), "-o", str(tmp_path / "out"), "--recipe", "shop", "--team", "Studio")

    assert {path.name for path in (tmp_path / "out").iterdir()} == {"bag-shop-1.jpg"}
    with pytest.raises(CommandError, match="no team 'Studi'"):
        call_command("cutout", str(photo), "--recipe", "shop", "--team", "Studi")


def test_an_unknown_recipe_lists_those_there_are(tmp_path: Path) -> None:
    photo = tmp_path / "bag.jpg"
    photo.write_bytes(encoded("JPEG", quality=60))

    with pytest.raises(CommandError, match="amazon-main"):
        call_command("cutout", str(photo), "--recipe", "amazon")
