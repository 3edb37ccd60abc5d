"""The page about recipes lists every field and every built-in recipe, and its example is valid."""

from __future__ import annotations

import json
import re

from jobs.recipes.builtin import builtin_recipes
from segmentation.finish.recipe import Recipe
from tests.stack import ROOT

PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")


def test_every_field_of_a_recipe_is_explained() -> None:
    assert {name for name in Recipe.model_fields if f"`{name}`" not in PAGE} == {"title"}


def test_every_built_in_recipe_is_listed() -> None:
    assert [name for name in builtin_recipes() if f"`{name}`" not in PAGE] == []


def test_the_example_is_a_recipe() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)

    assert Recipe.read(json.loads(example)).title == "Shop"
