"""Tests that the documentation page of recipes lists all fields and built-in recipes, and that its example is valid."""

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


def test_the_source_and_the_date_of_each_rule_are_listed() -> None:
    rows = {row.split("|")[1].strip(" `"): row for row in PAGE.splitlines() if row.startswith("| `")}

    for name, recipe in builtin_recipes().items():
        if recipe.rules is not None:
            assert rows[name].endswith(f"| {recipe.rules.source} | {recipe.rules.checked_on} |")


def test_the_example_is_a_recipe() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)

    assert Recipe.read(json.loads(example)).title == "Shop"
