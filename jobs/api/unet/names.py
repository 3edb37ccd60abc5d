"""UNet matting API: create unique names that consist of a date and a time to the second.

A name may end with a hyphen and a number, such as `-2`. An ending such as `_2` is not used, because later attempts of
a picture add it to the names of the picture's files.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from django.utils import timezone
from redis.exceptions import RedisError

from jobs.errors import QueueUnavailable
from jobs.work import queue
from jobs.work.selectors import external_id_is_taken

from .dialect import NAME

_LIFE_S = 3600  # the seconds for which Redis stores how many names of one second are in use
_MAX_STEM = 100


def second_unique_name(pattern: str, *, separator: str = "") -> str:
    """Return `pattern` with the current local date and time, to the second, in place of `{}`.

    If a name for the same second exists, the new name ends with `-2`, `-3` and so on. Redis counts the names for all
    web processes. The database is checked too, because Redis can lose its count.

    separator: the text between the date and the time of day.

    Raise QueueUnavailable if Redis cannot be reached.
    """
    second = timezone.localtime().strftime(f"%Y%m%d{separator}%H%M%S")
    while True:
        number = _number_in(pattern, second)
        name = pattern.format(second if number == 1 else f"{second}-{number}")
        if not external_id_is_taken(NAME, name):
            return name


def _number_in(pattern: str, second: str) -> int:
    key = f"keyline:names:{pattern}:{second}"
    try:
        steps = queue.connection().pipeline()
        steps.incr(key)
        steps.expire(key, _LIFE_S)
        count, _ = steps.execute()
    except (RedisError, OSError) as error:
        raise QueueUnavailable from error
    return int(count)


def numbered_names(first: str, count: int) -> list[str]:
    """Return `count` different names: `first`, `first-2`, `first-3` and so on. Existing files are not checked."""
    return [first, *(f"{first}-{number}" for number in range(2, count + 1))][:count]


def original_names(names: Iterable[str]) -> list[str]:
    """Return the file names without extensions. Equal names get ` (2)`, ` (3)` and so on."""
    given: list[str] = []
    for name in names:
        stem = PurePosixPath(name).stem[:_MAX_STEM] or "picture"
        unique, number = stem, 1
        while unique in given:
            number += 1
            unique = f"{stem} ({number})"
        given.append(unique)
    return given
