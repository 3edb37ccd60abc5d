"""Tests of recipes: they belong to a team, keep their old versions, and changes are written to the audit trail."""

from __future__ import annotations

import pytest

from jobs.errors import NotFound, PermissionDenied
from jobs.intake.sources import accept_bytes
from jobs.models import Action, AuditEntry, RecipeVersion
from jobs.recipes.builtin import builtin_recipes
from jobs.recipes.selectors import background_get, recipe_get, recipes_of
from jobs.recipes.services import (
    background_delete,
    background_save,
    recipe_delete,
    recipe_save,
    recipes_import,
)
from segmentation.errors import InvalidParameter
from tests.cast import Person
from tests.photos import encoded

pytestmark = pytest.mark.django_db

SHOP = {"title": "Shop", "background": {"type": "color", "color": "#ffffff"}, "outputs": [{"format": "jpeg"}]}


def test_a_change_is_a_new_version_and_the_same_again_is_not(alice: Person) -> None:
    first = recipe_save(actor=alice.actor, name="shop", body=SHOP)
    again = recipe_save(actor=alice.actor, name="shop", body=SHOP)
    changed = recipe_save(actor=alice.actor, name="shop", body=SHOP | {"title": "Shop 2"})

    assert [first.version, again.version, changed.version] == [1, 1, 2]
    assert recipe_get(alice.actor, "shop").recipe.title == "Shop 2"
    assert recipe_get(alice.actor, "shop", 1).recipe.title == "Shop"
    assert AuditEntry.objects.filter(action=Action.RECIPE_CHANGED).count() == 2


def test_the_team_shares_its_recipes_and_another_team_sees_none(alice: Person, bob: Person, charlie: Person) -> None:
    recipe_save(actor=alice.actor, name="shop", body=SHOP)

    assert recipe_get(bob.actor, "shop").version == 1
    with pytest.raises(NotFound, match="shop"):
        recipe_get(charlie.actor, "shop")
    assert [named.name for named in recipes_of(charlie.actor)] == list(builtin_recipes())


def test_a_deleted_recipe_is_gone_from_the_list_and_known_by_its_version(alice: Person) -> None:
    recipe_save(actor=alice.actor, name="shop", body=SHOP)

    recipe_delete(actor=alice.actor, name="shop")

    with pytest.raises(NotFound):
        recipe_get(alice.actor, "shop")
    assert recipe_get(alice.actor, "shop", 1).recipe.title == "Shop"
    assert recipe_save(actor=alice.actor, name="shop", body=SHOP).version == 2


@pytest.mark.parametrize("name", ["amazon-main", "Shop", "", "a" * 41, "../shop"])
def test_a_name_that_is_taken_or_malformed_is_refused(alice: Person, name: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        recipe_save(actor=alice.actor, name=name, body=SHOP)

    assert refused.value.field == "name"


def test_built_in_recipes_cannot_be_deleted(alice: Person) -> None:
    with pytest.raises(PermissionDenied):
        recipe_delete(actor=alice.actor, name="amazon-main")


def test_an_import_stores_all_or_none(alice: Person) -> None:
    with pytest.raises(InvalidParameter):
        recipes_import(actor=alice.actor, bodies={"good": SHOP, "bad": SHOP | {"treshold": 1}})

    assert not RecipeVersion.objects.exists()


def test_a_background_in_use_cannot_be_deleted(alice: Person, charlie: Person) -> None:
    background_save(actor=alice.actor, name="wall", source=accept_bytes(encoded("JPEG", quality=60), name="w.jpg"))
    body = SHOP | {"background": {"type": "picture", "picture": "wall"}}
    recipe_save(actor=alice.actor, name="shop", body=body)

    with pytest.raises(InvalidParameter, match="shop"):
        background_delete(actor=alice.actor, name="wall")
    recipe_delete(actor=alice.actor, name="shop")
    background_delete(actor=alice.actor, name="wall")

    with pytest.raises(NotFound):
        background_get(alice.team, "wall")
    with pytest.raises(NotFound):
        background_get(charlie.team, "wall")
