"""Apply recipes to a processed picture. Workers and commands use this module. It imports no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from jobs.errors import NotFound
from jobs.models import Team
from jobs.recipes.names import file_name_of
from jobs.recipes.selectors import NamedRecipe, background_get
from jobs.results import storage
from segmentation.errors import ImageUnreadable, MattingError
from segmentation.finish.files import Written
from segmentation.finish.finish import finish
from segmentation.finish.recipe import PictureBackground, Recipe
from segmentation.finish.variant import shaped_alpha
from segmentation.foreground import decontaminate
from segmentation.image import Limits, decode
from segmentation.options import CutoutOptions


@dataclass(frozen=True, slots=True, eq=False)
class FinishedFile:
    """A file that a recipe made.

    name: the public file name.
    recipe: the name of the recipe.
    written: the content of the file.
    """

    name: str
    recipe: str
    written: Written


@dataclass(slots=True, eq=False)
class FinishedPicture:
    """The files that recipes made from one picture.

    notes: messages about rules that a file does not meet, and about recipes that could not be applied.
    """

    files: list[FinishedFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def picture_finish(
    *,
    team: Team | None,
    name: str,
    source: bytes,
    alpha_png: bytes,
    options: CutoutOptions,
    recipes: Sequence[NamedRecipe],
    limits: Limits,
) -> FinishedPicture:
    """Apply recipes to one picture, from its source file and its stored alpha, and return the files. No model runs.

    team: the team whose background pictures the recipes may use; None if they may use none.
    name: the name of the picture. It becomes part of the file names.
    source: the bytes of the picture's file.
    alpha_png: the alpha of the cutout as a gray PNG.
    options: the options of the cutout. Their threshold, erosion and feathering are applied to the alpha first.
    limits: the limits that the source must not exceed.

    If a recipe cannot be applied to this picture, a note is added and the other recipes are applied. Raise the
    ImageErrors of `segmentation.image.decode`, and StorageFailed if a background picture cannot be read.
    """
    picture = decode(source, limits)
    alpha = shaped_alpha(alpha_png, options)
    if alpha.shape != picture.rgb.shape[:2]:
        raise ImageUnreadable("The stored alpha belongs to a picture of another size.")
    colors = decontaminate(picture.rgb, alpha)
    result = FinishedPicture()
    taken: set[str] = set()
    for named in recipes:
        try:
            background = _background(team, named.recipe, limits)
            finished = finish(picture.rgb, alpha, named.recipe, background_picture=background, colors=colors)
        except MattingError as error:
            if error.http_status >= 500:
                raise
            result.notes.append(f"recipe {named.name}: {error.message}")
            continue
        for number, (output, written) in enumerate(zip(named.recipe.outputs, finished.files, strict=True), start=1):
            file_name = file_name_of(
                output.name, name=name, recipe=named.name, number=number, extension=written.extension
            )
            result.files.append(FinishedFile(_unique(file_name, taken), named.name, written))
        result.notes += [f"recipe {named.name}: {violation.message}" for violation in finished.violations]
        result.notes += [f"recipe {named.name}: {note}" for note in finished.notes]
    return result


def _unique(name: str, taken: set[str]) -> str:
    """Return a file name that no other file of this picture has, and add the name to `taken`.

    Names that differ only in upper and lower case count as the same name.
    """
    path, candidate, number = PurePosixPath(name), name, 2
    while candidate.lower() in taken:
        candidate, number = f"{path.stem}_{number}{path.suffix}", number + 1
    taken.add(candidate.lower())
    return candidate


def _background(team: Team | None, recipe: Recipe, limits: Limits) -> Any:
    """Return the background picture of a recipe, (h, w, 3) uint8 RGB. Return None if the recipe uses no picture."""
    if not isinstance(recipe.background, PictureBackground):
        return None
    if team is None:
        raise NotFound("A background picture belongs to a team, and no team is named.", field="background.picture")
    stored = background_get(team, recipe.background.picture)
    return decode(storage.read(stored.key), limits).rgb
