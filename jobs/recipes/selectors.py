"""Queries for the recipes and background pictures that a team may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from jobs.errors import BackgroundNotFound, RecipeNotFound
from jobs.models import BackgroundPicture, RecipeVersion, Team
from jobs.recipes.builtin import builtin_recipes
from jobs.teams.actor import Actor
from segmentation.finish.recipe import Recipe

BUILTIN_VERSION = 1


@dataclass(frozen=True, slots=True)
class NamedRecipe:
    """A recipe with its name and version. Jobs store all three."""

    name: str
    version: int
    recipe: Recipe
    is_builtin: bool = False

    @property
    def title(self) -> str:
        """The title that pages show. The title of a built-in recipe is translated into the user's language."""
        return gettext(self.recipe.title) if self.is_builtin else self.recipe.title


def recipes_of(actor: Actor) -> list[NamedRecipe]:
    """Return the newest version of each of the team's recipes, then the built-in recipes."""
    newest: dict[str, RecipeVersion] = {}
    for row in RecipeVersion.objects.filter(team=actor.team).order_by("name", "-version"):
        newest.setdefault(row.name, row)
    own = [_named(row) for row in newest.values() if not row.is_deleted]
    return [*own, *(_builtin(name, recipe) for name, recipe in builtin_recipes().items())]


def recipe_versions(actor: Actor, name: str) -> list[RecipeVersion]:
    """Return all versions of a team's recipe, newest first, including deleted ones.

    The list is empty if the name is unknown or belongs to a built-in recipe.
    """
    return list(RecipeVersion.objects.filter(team=actor.team, name=name[:40]).order_by("-version"))


def recipe_named(actor: Actor, text: str) -> NamedRecipe:
    """Return the recipe for a text of the form `name` or `name@version`.

    Raise RecipeNotFound if there is no such recipe, or if the text has another form.
    """
    name, at, version = text.strip().partition("@")
    if at and not (version.isascii() and version.isdecimal() and len(version) < 9):
        raise RecipeNotFound(f"There is no recipe {text!r:.60}.", field="recipe")
    return recipe_get(actor, name, int(version) if at else None)


def recipe_get(actor: Actor, name: str, version: int | None = None) -> NamedRecipe:
    """Return a recipe by its name and version. Raise RecipeNotFound if there is no such recipe.

    version: None for the newest version.
    """
    builtin = builtin_recipes().get(name)
    if builtin is not None and version in (None, BUILTIN_VERSION):
        return _builtin(name, builtin)
    rows = RecipeVersion.objects.filter(team=actor.team, name=name[:40]).order_by("-version")
    row = (rows if version is None else rows.filter(version=version)).first()
    if row is None or (version is None and row.is_deleted):
        wanted = name if version is None else f"{name} v{version}"
        raise RecipeNotFound(f"There is no recipe {wanted!r:.60}.", field="recipe")
    return _named(row)


def recipes_to_json(recipes: Sequence[NamedRecipe]) -> list[dict[str, Any]]:
    """Return the recipes as JSON to store in a job.

    The JSON contains the whole recipes, so that later versions do not affect the job.
    """
    return [{"name": named.name, "version": named.version, "body": named.recipe.to_json()} for named in recipes]


def recipes_from_json(data: Sequence[dict[str, Any]]) -> list[NamedRecipe]:
    """Return the recipes that a job stores.

    data: the JSON from `recipes_to_json`.
    """
    return [NamedRecipe(entry["name"], entry["version"], Recipe.read(entry["body"])) for entry in data]


def builtin_recipe(name: str) -> NamedRecipe:
    """Return a built-in recipe by its name. Raise RecipeNotFound, with the valid names, for an unknown name."""
    recipes = builtin_recipes()
    if name not in recipes:
        raise RecipeNotFound(f"There is no recipe {name!r:.60}; built in are {', '.join(recipes)}.", field="recipe")
    return _builtin(name, recipes[name])


def background_get(team: Team, name: str) -> BackgroundPicture:
    """Return a background picture of the team by its name. Raise BackgroundNotFound if there is none with this name."""
    picture = BackgroundPicture.objects.filter(team=team, name=name).first()
    if picture is None:
        raise BackgroundNotFound(f"There is no background picture {name!r:.60}.", field="background.picture")
    return picture


def backgrounds_of(actor: Actor) -> list[BackgroundPicture]:
    """Return the team's background pictures, sorted by name."""
    return list(BackgroundPicture.objects.filter(team=actor.team))


def _named(row: RecipeVersion) -> NamedRecipe:
    return NamedRecipe(row.name, row.version, Recipe.read(row.body))


def _builtin(name: str, recipe: Recipe) -> NamedRecipe:
    return NamedRecipe(name, BUILTIN_VERSION, recipe, is_builtin=True)
