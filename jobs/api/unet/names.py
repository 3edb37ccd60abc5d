"""Names made of a date and a time to the second, each given once."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.utils import timezone
from redis.exceptions import RedisError

from jobs.errors import QueueUnavailable
from jobs.work import queue
from jobs.work.selectors import external_id_is_taken

from .dialect import NAME

# One step in Redis, so that two web processes never get the same second.
_NEXT_SECOND = """
local last = tonumber(redis.call('get', KEYS[1]) or '0')
local next_one = math.max(tonumber(ARGV[1]), last + 1)
redis.call('set', KEYS[1], string.format('%d', next_one), 'ex', 86400)
return next_one
"""


def second_unique_name(pattern: str, *, separator: str = "") -> str:
    """Fill `pattern` with the first local second that no job of this dialect is named after.

    `separator` stands between the date and the time of day. Redis remembers the last second given for all web
    processes; the database is asked as well, for the case that Redis has lost it. Raises QueueUnavailable when Redis
    cannot be reached.
    """
    is_taken = partial(external_id_is_taken, NAME)
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


def names_of_seconds(pattern: str, *, first: str, count: int) -> list[str]:
    """Fill `pattern` with `count` consecutive seconds from `first` (14 digits); unique within one folder."""
    moment = dt.datetime.strptime(first, "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)  # only counted on, in no zone
    return [pattern.format(f"{moment + dt.timedelta(seconds=step):%Y%m%d%H%M%S}") for step in range(count)]
