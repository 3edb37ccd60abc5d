"""The built-in recipes for shops, social networks and identity documents, read from `builtin.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import gettext

from segmentation.finish.recipe import Align, Recipe

MM_PER_INCH = 25.4
_FINISH_OF_ID_PHOTO = ("canvas", "placement", "background", "outputs")


@dataclass(frozen=True, slots=True)
class CanvasSize:
    """A picture size that a shop or social network requires.

    fill: the share (0..1) of the width or height that the subject fills.
    """

    title: str
    width_px: int
    height_px: int
    fill: float

    @property
    def value(self) -> str:
        """The size in the format that the script of the editor uses, such as `1000x1000`."""
        return f"{self.width_px}x{self.height_px}"

    @property
    def text(self) -> str:
        return f"{gettext(self.title)} {self.width_px} × {self.height_px}"


@dataclass(frozen=True, slots=True)
class IdPhoto:
    """A kind of photo for an identity document. A built-in recipe describes it."""

    recipe: Recipe

    @property
    def finish_json(self) -> str:
        """The recipe as JSON text, for the field `finish` of a request to render a variant."""
        return json.dumps({name: part for name, part in self.recipe.to_json().items() if name in _FINISH_OF_ID_PHOTO})

    @property
    def text(self) -> str:
        canvas, dpi = self.recipe.canvas, self.recipe.outputs[0].dpi
        width, height = (round((side or 0) * MM_PER_INCH / dpi) for side in (canvas.width_px, canvas.height_px))
        return f"{gettext(self.recipe.title)}, {width} × {height} mm"


@cache
def builtin_recipes() -> dict[str, Recipe]:
    """Return a dict from name to built-in recipe, in the order in which pages show the recipes."""
    data = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {name: Recipe.read(body) for name, body in data.items()}


@cache
def canvas_sizes() -> tuple[CanvasSize, ...]:
    """Return the picture sizes of the built-in recipes, without duplicates.

    Recipes that place a head (for identity photos) are left out. If several recipes have the same size, the first one
    gives the title.
    """
    sizes: dict[tuple[int, int], CanvasSize] = {}
    for recipe in builtin_recipes().values():
        canvas, placement = recipe.canvas, recipe.placement
        if canvas.width_px is None or canvas.height_px is None or placement.align is Align.HEAD:
            continue
        size = CanvasSize(recipe.title, canvas.width_px, canvas.height_px, placement.fill or 1)
        sizes.setdefault((canvas.width_px, canvas.height_px), size)
    return tuple(sizes.values())


@cache
def id_photos() -> tuple[IdPhoto, ...]:
    """Return the built-in recipes for photos of identity documents. These recipes place a head and have rules."""
    return tuple(
        IdPhoto(recipe)
        for recipe in builtin_recipes().values()
        if recipe.placement.align is Align.HEAD and recipe.rules is not None
    )
