"""Make the names of finished files from the name pattern of a recipe."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_UNSAFE = re.compile(r"[\x00-\x1f/\\\\:*?\"<>|]+")


def file_name_of(pattern: str, *, name: str, recipe: str, number: int, extension: str) -> str:
    """Return the file name of an output of a recipe. Characters that some file systems reject become hyphens.

    pattern: a format string with the fields {name}, {recipe}, {n} and {ext}.
    name: the name of the picture.
    recipe: the name of the recipe.
    number: the number of the output, from 1.
    extension: the extension without a dot.
    """
    stem = PurePosixPath(name.replace("\\", "/")).stem or "picture"
    filled = pattern.format(name=stem, recipe=recipe, n=number, ext=extension)
    return _UNSAFE.sub("-", filled).strip(" .")[-120:] or f"{number}.{extension}"
