"""The recipes that are available to all teams: shops, social networks and identity documents, from `builtin.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import gettext

from segmentation.finish.recipe import Align, ColorBackground, Recipe

MM_PER_INCH = 25.4


@dataclass(frozen=True, slots=True)
class CanvasSize:
    """A size that a shop or network requires. fill: the subject's share of it."""

    title: str
    width_px: int
    height_px: int
    fill: float

    @property
    def value(self) -> str:
        """Return the size in the format of the editor's script."""
        return f"{self.width_px}x{self.height_px}"

    @property
    def text(self) -> str:
        return f"{gettext(self.title)} {self.width_px} × {self.height_px}"


@dataclass(frozen=True, slots=True)
class IdPhoto:
    """A photo for an identity document. top: the free space above the head, as a share of the height."""

    title: str
    width_px: int
    height_px: int
    dpi: int
    color: str
    top: float

    @property
    def value(self) -> str:
        """Return the size in the format of the editor's script."""
        return f"{self.width_px}x{self.height_px}"

    @property
    def text(self) -> str:
        width, height = (round(side * MM_PER_INCH / self.dpi) for side in (self.width_px, self.height_px))
        return f"{gettext(self.title)}, {width} × {height} mm"


@cache
def builtin_recipes() -> dict[str, Recipe]:
    """Return the built-in recipes by name, in the order of display."""
    data = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {name: Recipe.read(body) for name, body in data.items()}


@cache
def canvas_sizes() -> tuple[CanvasSize, ...]:
    """Return each size of the built-in recipes for whole subjects once, with the title of the first such recipe."""
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
    """Return the built-in photos for identity documents: recipes with a placed head, rules and a plain background."""
    return tuple(
        IdPhoto(
            recipe.title,
            recipe.canvas.width_px,
            recipe.canvas.height_px,
            recipe.outputs[0].dpi,
            recipe.background.color,
            recipe.placement.head.top,
        )
        for recipe in builtin_recipes().values()
        if recipe.placement.align is Align.HEAD
        and recipe.rules is not None
        and recipe.canvas.width_px is not None
        and recipe.canvas.height_px is not None
        and isinstance(recipe.background, ColorBackground)
    )
