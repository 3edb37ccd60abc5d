"""The recipes that are available to all teams: shops, social networks and identity documents, from `builtin.json`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from segmentation.finish.recipe import Recipe


@cache
def builtin_recipes() -> dict[str, Recipe]:
    """Return the built-in recipes by name, in the order of display."""
    data = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {name: Recipe.read(body) for name, body in data.items()}
