"""`manage.py cutout` removes the background of picture files, without a server and without a queue."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from jobs.intake.sources import default_limits
from jobs.models import Team
from jobs.recipes.selectors import NamedRecipe, builtin_recipe, recipe_named
from jobs.teams.actor import Actor
from segmentation.engines.base import Engine
from segmentation.errors import MattingError
from segmentation.finish.recipe import Recipe
from segmentation.options import Box, Color, CutoutOptions, Format, Method, Output, Point, Quality, Subject


class Command(BaseCommand):
    help = "Cut out the subject of picture files, into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
        parser.add_argument("-o", "--output", type=Path, default=Path(), help="folder of the results (default: here)")
        parser.add_argument("--box", action="append", default=[], metavar="X1,Y1,X2,Y2", help="what to cut out")
        parser.add_argument("--point", action="append", default=[], metavar="X,Y,1", help="keep (1) or remove (0)")
        parser.add_argument("--type", choices=list(Subject), default=Subject.AUTO)
        parser.add_argument("--background", help="a colour such as #fff; without it the result is transparent")
        parser.add_argument("--format", choices=list(Format), default=Format.PNG)
        parser.add_argument("--quality", choices=list(Quality), default=Quality.FAST)
        parser.add_argument(
            "--recipe",
            action="append",
            default=[],
            metavar="NAME|FILE",
            help="finish by a built-in recipe, a recipe of --team, or a .json file",
        )
        parser.add_argument("--team", help="whose recipes and background pictures may be used")
        parser.add_argument("--mask", action="store_true", help="also write the mask")

    def handle(self, *args: Any, **options: Any) -> None:
        cutout, team = _options_from(options), _team_from(options["team"])
        recipes = [_recipe_from(text, team) for text in options["recipe"]]
        output: Path = options["output"]
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"{output} cannot be created: {error.strerror}") from None
        from jobs.inference.engines import engine_for_command

        failed = 0
        taken = {photo.resolve() for photo in options["photos"]}
        for photo in tqdm(options["photos"], unit="photo", disable=len(options["photos"]) < 2):
            try:
                engine = engine_for_command(Quality(options["quality"]))
                if notes := _cut_out(photo, output, cutout, recipes, engine, taken, team):
                    tqdm.write(f"{photo}: {'; '.join(notes)}", file=self.stderr)
            except (MattingError, OSError) as error:
                failed += 1
                reason = error.message if isinstance(error, MattingError) else (error.strerror or str(error))
                tqdm.write(f"{photo}: {reason}", file=self.stderr)
        if failed:
            raise CommandError(f"{failed} of {len(options['photos'])} failed", returncode=1)


def _options_from(options: dict[str, Any]) -> CutoutOptions:
    """Return the cutout options that the arguments define. Raise CommandError with a message if a value is invalid."""
    try:
        return CutoutOptions(
            method=Method.BOXES if options["box"] else Method.POINTS if options["point"] else Method.AUTO,
            boxes=tuple(Box.parse(text) for text in options["box"]),
            points=tuple(_point(text) for text in options["point"]),
            subject=options["type"],
            background=Color.parse(options["background"]) if options["background"] else None,
            format=options["format"],
            outputs=(Output.CUTOUT, Output.MASK) if options["mask"] else (Output.CUTOUT,),
        )
    except MattingError as error:
        raise CommandError(error.message) from None


def _point(text: str) -> Point:
    try:
        return Point.parse([int(part) for part in text.split(",")])
    except ValueError:
        raise CommandError(f"--point: {text!r:.40} is not x,y,1 or x,y,0") from None


def _team_from(name: str | None) -> Team | None:
    """Return the team with this name, or None if the name is empty. Raise CommandError if there is no such team."""
    team = Team.objects.filter(name=name).first() if name else None
    if name and team is None:
        raise CommandError(f"--team: there is no team {name!r}")
    return team


def _recipe_from(text: str, team: Team | None) -> NamedRecipe:
    """Return the recipe that an argument names: a JSON file, a recipe of the team, or a built-in recipe.

    Raise CommandError if there is no such recipe or if it is invalid.
    """
    path = Path(text)
    try:
        if path.suffix == ".json":
            return NamedRecipe(path.stem, 1, Recipe.read(json.loads(path.read_text(encoding="utf-8"))))
        return builtin_recipe(text) if team is None else recipe_named(Actor(team=team), text)
    except MattingError as error:
        raise CommandError(f"--recipe {text}: {error.message}") from None
    except (OSError, ValueError) as error:
        raise CommandError(f"--recipe {text}: {error}") from None


def _cut_out(
    photo: Path,
    output: Path,
    options: CutoutOptions,
    recipes: Sequence[NamedRecipe],
    engine: Engine,
    taken: set[Path],
    team: Team | None,
) -> Sequence[str]:
    """Write the result files of one photo: the files of its recipes, or the cutout if there is no recipe.

    Return the notes to print. They say that no subject was found, or which rules of a recipe the result does not meet.
    """
    from jobs.recipes.finishing import picture_finish
    from segmentation.pipeline import cut_out

    data, limits = photo.read_bytes(), default_limits()
    result = cut_out(data, options, engine, limits)
    for rendered in result.outputs:
        if recipes and rendered.kind is Output.CUTOUT:
            continue
        suffix = "" if rendered.kind is Output.CUTOUT else f"_{rendered.kind}"
        _free_path(output, f"{photo.stem}{suffix}", rendered.extension, taken).write_bytes(rendered.data)
    notes = () if result.foreground else result.notes
    if not recipes:
        return notes
    finished = picture_finish(
        team=team,
        name=photo.name,
        source=data,
        alpha_png=result.alpha.data,
        options=options,
        recipes=recipes,
        limits=limits,
    )
    for file in finished.files:
        path = Path(file.name)
        _free_path(output, path.stem, path.suffix, taken).write_bytes(file.written.data)
    return [*notes, *finished.notes]


def _free_path(output: Path, stem: str, extension: str, taken: set[Path]) -> Path:
    """Return a path for a result that is not the path of a photo or of another result, and add the path to `taken`."""
    endings = chain(("", "_cutout"), (f"_cutout_{number}" for number in count(2)))
    paths = (output / f"{stem}{ending}{extension}" for ending in endings)
    path = next(path for path in paths if path.resolve() not in taken)
    taken.add(path.resolve())
    return path
