"""Names of finished files: a recipe's pattern, filled in and safe on every file system."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_UNSAFE = re.compile(r"[\x00-\x1f/\\\\:*?\"<>|]+")


def file_name_of(pattern: str, *, name: str, recipe: str, number: int, extension: str) -> str:
    """Fill a recipe's file name; characters that some file system refuses become hyphens.

    name: of the picture. number: of the output, from 1. extension: without its dot.
    """
    stem = PurePosixPath(name.replace("\\", "/")).stem or "picture"
    filled = pattern.format(name=stem, recipe=recipe, n=number, ext=extension)
    return _UNSAFE.sub("-", filled).strip(" .")[-120:] or f"{number}.{extension}"
