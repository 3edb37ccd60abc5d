"""Store and delete a team's recipes and background pictures."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from jobs.audit.trail import Author, audit_append
from jobs.errors import BackgroundNotFound, PermissionDenied, ScopeMissing
from jobs.intake.sources import CheckedSource
from jobs.models import Action, BackgroundPicture, RecipeVersion, Scope, Team
from jobs.quota.charges import usage_check
from jobs.quota.limits import quota_of
from jobs.recipes.builtin import builtin_recipes
from jobs.recipes.selectors import NamedRecipe, recipe_get
from jobs.results import storage
from jobs.results.deletions import files_delete, files_discard
from jobs.teams.actor import Actor
from segmentation.errors import InvalidParameter
from segmentation.finish.recipe import PictureBackground, Recipe

MAX_RECIPES = 200
MAX_BACKGROUNDS = 100
RESERVED = frozenset({"schema", "export", "import", "preview"})  # names of routes beside those of the recipes
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def recipe_save(*, actor: Actor, name: str, body: object) -> NamedRecipe:
    """Store a recipe as the next version of the given name, and return this version.

    If the recipe has not changed, no new version is created.

    body: the recipe as JSON.

    Raise PermissionDenied if the actor does not have the scope `submit`. Raise InvalidParameter if the name is reserved
    or malformed, if `Recipe.read` rejects the body, or if the team already has MAX_RECIPES recipes.
    """
    _require_member(actor)
    if not _NAME.fullmatch(name):
        raise InvalidParameter("name: lower-case letters, digits and hyphens, at most 40", field="name")
    if name in builtin_recipes():
        raise InvalidParameter(f"name: {name} is a built-in recipe", field="name")
    if name in RESERVED:
        raise InvalidParameter(f"name: {name} is reserved", field="name")
    recipe = Recipe.read(body)
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=actor.team.pk)
        rows = RecipeVersion.objects.filter(team=actor.team)
        last = rows.filter(name=name).order_by("-version").first()
        if last is not None and not last.is_deleted and last.body == recipe.to_json():
            return NamedRecipe(name, last.version, recipe)
        if last is None and rows.values("name").distinct().count() >= MAX_RECIPES:
            raise InvalidParameter(f"name: a team has at most {MAX_RECIPES} recipes", field="name")
        row = RecipeVersion.objects.create(
            team=actor.team,
            name=name,
            version=1 if last is None else last.version + 1,
            body=recipe.to_json(),
            created_by=actor.user,
        )
        _audit(actor, row, after={"name": name, "version": row.version})
    return NamedRecipe(name, row.version, recipe)


def recipe_delete(*, actor: Actor, name: str) -> None:
    """Delete a team's recipe. Jobs that use the recipe keep their copies.

    Raise NotFound if there is no such recipe. Raise PermissionDenied for a built-in recipe, or if the actor does not
    have the scope `submit`.
    """
    _require_member(actor)
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=actor.team.pk)
        found = recipe_get(actor, name)
        if found.is_builtin:
            raise PermissionDenied("Built-in recipes cannot be deleted.")
        rows = RecipeVersion.objects.filter(team=actor.team, name=name)
        rows.update(is_deleted=True)
        _audit(actor, rows.order_by("-version")[0], before={"name": name, "version": found.version})


def recipes_import(*, actor: Actor, bodies: Mapping[str, Any]) -> list[NamedRecipe]:
    """Store several recipes and return them. If one cannot be stored, store none and raise the errors of `recipe_save`.

    bodies: a dict from the name of each recipe to the recipe as JSON.
    """
    with transaction.atomic():
        return [recipe_save(actor=actor, name=name, body=body) for name, body in bodies.items()]


def background_save(*, actor: Actor, name: str, source: CheckedSource) -> BackgroundPicture:
    """Store a background picture under a name, and return its row. An existing picture with this name is replaced.

    Raise PermissionDenied if the actor does not have the scope `submit`. Raise InvalidParameter if the name is empty or
    too long, or if the team has too many pictures. Raise QuotaExceeded if the team's storage is full, and StorageFailed
    if the file cannot be stored.
    """
    _require_member(actor)
    if not name.strip() or len(name) > 80:
        raise InvalidParameter("name: 1 to 80 characters", field="name")
    team = actor.team
    usage_check(team=team, quota=quota_of(team), new_bytes=source.probe.bytes, units=0)
    extension = storage.EXTENSIONS.get(f"image/{source.probe.format}", "bin")
    stored = storage.store(f"teams/{team.pk}/backgrounds/{uuid.uuid4()}.{extension}", source.read())
    try:
        with transaction.atomic():
            Team.objects.select_for_update().get(pk=team.pk)
            rows = BackgroundPicture.objects.filter(team=team)
            old = rows.filter(name=name).first()
            if old is None and rows.count() >= MAX_BACKGROUNDS:
                raise InvalidParameter(f"name: a team has at most {MAX_BACKGROUNDS} backgrounds", field="name")
            if old is not None:
                files_delete(keys=[old.key])
                old.delete()
            return BackgroundPicture.objects.create(
                team=team,
                name=name,
                key=stored.key,
                bytes=stored.bytes,
                width=source.probe.width,
                height=source.probe.height,
            )
    except BaseException as error:
        files_discard(keys=[stored.key], error=error)
        raise


def background_delete(*, actor: Actor, name: str) -> None:
    """Delete a background picture and its file.

    Raise BackgroundNotFound if there is no picture with this name, InvalidParameter if a recipe uses the picture, and
    PermissionDenied if the actor does not have the scope `submit`.
    """
    _require_member(actor)
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=actor.team.pk)
        picture = BackgroundPicture.objects.filter(team=actor.team, name=name).first()
        if picture is None:
            raise BackgroundNotFound(f"There is no background picture {name!r:.60}.")
        users = [row.name for row in _current(actor.team) if _uses(row, name)]
        if users:
            raise InvalidParameter(f"name: the recipe {users[0]} uses this picture", field="name")
        picture.delete()
        files_delete(keys=[picture.key])


def _current(team: Team) -> list[RecipeVersion]:
    newest: dict[str, RecipeVersion] = {}
    for row in RecipeVersion.objects.filter(team=team, is_deleted=False).order_by("name", "-version"):
        newest.setdefault(row.name, row)
    return list(newest.values())


def _uses(row: RecipeVersion, picture: str) -> bool:
    background = Recipe.read(row.body).background
    return isinstance(background, PictureBackground) and background.picture == picture


def _require_member(actor: Actor) -> None:
    if not actor.has_scope(Scope.SUBMIT):
        raise ScopeMissing(Scope.SUBMIT)


def _audit(actor: Actor, row: RecipeVersion, **values: Any) -> None:
    audit_append(action=Action.RECIPE_CHANGED, author=Author.of(actor), target=row, **values)
