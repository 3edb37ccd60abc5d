"""Names of finished files, made from a recipe's pattern."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_UNSAFE = re.compile(r"[\x00-\x1f/\\\\:*?\"<>|]+")


def file_name_of(pattern: str, *, name: str, recipe: str, number: int, extension: str) -> str:
    """Return the file name of a recipe's output. Characters that some file systems reject become hyphens.

    pattern: the name with {name}, {recipe}, {n} and {ext}. name: the picture's name. number: the number of the output,
    from 1. extension: without its dot.
    """
    stem = PurePosixPath(name.replace("\\", "/")).stem or "picture"
    filled = pattern.format(name=stem, recipe=recipe, n=number, ext=extension)
    return _UNSAFE.sub("-", filled).strip(" .")[-120:] or f"{number}.{extension}"
