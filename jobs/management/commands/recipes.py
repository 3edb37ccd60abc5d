"""`manage.py recipes` lists, exports and imports a team's recipes, and prints their JSON schema."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.models import Team
from jobs.recipes.selectors import recipes_of
from jobs.recipes.services import recipes_import
from jobs.teams.actor import Actor
from segmentation.errors import MattingError
from segmentation.finish.recipe import recipe_schema


class Command(BaseCommand):
    help = "List, export or import a team's recipes, or print the JSON schema of a recipe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("list", "export", "import", "schema"))
        parser.add_argument("file", nargs="?", type=Path, help="of an import; `export` writes to standard output")
        parser.add_argument("--team", default="First team", help="default: First team")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "schema":
            self.stdout.write(json.dumps(recipe_schema(), indent=1))
            return
        team = Team.objects.filter(name=options["team"]).first()
        if team is None:
            raise CommandError(f"there is no team {options['team']!r}")
        actor = Actor(team=team)
        if options["action"] == "import":
            self._import(actor, options["file"])
            return
        found = recipes_of(actor)
        if options["action"] == "export":
            bodies = {named.name: named.recipe.to_json() for named in found if not named.is_builtin}
            self.stdout.write(json.dumps(bodies, ensure_ascii=False, indent=1))
            return
        for named in found:
            kind = "built in" if named.is_builtin else f"version {named.version}"
            self.stdout.write(f"{named.name:24} {kind:12} {named.recipe.title}")

    def _import(self, actor: Actor, file: Path | None) -> None:
        if file is None:
            raise CommandError("name the file to import")
        try:
            bodies = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(bodies, dict):
                raise CommandError(f"{file}: a JSON object of recipes by name is expected")
            saved = recipes_import(actor=actor, bodies=bodies)
        except MattingError as error:
            raise CommandError(error.message) from None
        except (OSError, ValueError) as error:
            raise CommandError(f"{file}: {error}") from None
        self.stdout.write(f"{len(saved)} recipes imported")
