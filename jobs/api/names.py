"""Stage 3, job: names made of the second, as some dialects want them, and still never twice."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable

from django.utils import timezone
from redis.exceptions import RedisError

from jobs.errors import QueueUnavailable
from jobs.work import queue

# One step in Redis, so that no two web processes are given the same second.
_NEXT_SECOND = """
local last = tonumber(redis.call('get', KEYS[1]) or '0')
local next_one = math.max(tonumber(ARGV[1]), last + 1)
redis.call('set', KEYS[1], string.format('%d', next_one), 'ex', 86400)
return next_one
"""


def second_unique_name(pattern: str, *, is_taken: Callable[[str], bool], separator: str = "") -> str:
    """Fill `pattern` with a local date and time, to the second, that nobody else was given.

    When this second is taken the next free one is given; `separator` stands between date and time of day. Redis
    remembers the last one for all web processes; `is_taken` asks the database, for when Redis has forgotten.
    Raises QueueUnavailable when Redis cannot be reached.
    """
    while True:
        name = pattern.format(_next_second(pattern).strftime(f"%Y%m%d{separator}%H%M%S"))
        if not is_taken(name):
            return name


def _next_second(pattern: str) -> dt.datetime:
    try:
        second = queue.connection().eval(
            _NEXT_SECOND, 1, f"keyline:last-second:{pattern}", int(timezone.now().timestamp())
        )
    except (RedisError, OSError) as error:
        raise QueueUnavailable from error
    return timezone.localtime(dt.datetime.fromtimestamp(int(second), tz=dt.UTC))


def random_number(digits: int) -> str:
    """Give a random whole number of so many decimal digits, the first of them not 0."""
    lowest = 10 ** (digits - 1)
    return str(lowest + secrets.randbelow(9 * lowest))


def names_of_seconds(pattern: str, *, first: str, count: int) -> list[str]:
    """Fill `pattern` with `count` seconds in a row, beginning at `first` (14 digits): unique within one folder."""
    moment = dt.datetime.strptime(first, "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)  # only counted on, in no zone
    return [pattern.format(f"{moment + dt.timedelta(seconds=step):%Y%m%d%H%M%S}") for step in range(count)]
