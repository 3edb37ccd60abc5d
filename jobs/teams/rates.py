"""Stage 1, intake: how many requests a team may send a second, counted in Redis by the `limits` library.

The library's moving window is used where one would think of a token bucket: it takes at most `amount` requests in any
second, decides in one Lua script, and so holds over all web processes and machines.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils import timezone
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from jobs.errors import RateLimited
from jobs.models import Quota, Team
from jobs.quota.charges import Allowance

WINDOW_S = 1


@dataclass(frozen=True, slots=True)
class Rate:
    """Bound the requests a second under one name, such as `requests` or `native-submit`."""

    name: str
    per_second: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Say how one limit stands after a request: `left` of `limit`, which starts anew in `resets_in_s` seconds.

    is_over: the request was one too many and is not counted.
    """

    name: str
    limit: int
    window_s: int
    left: int
    resets_in_s: int
    is_over: bool = False


def rates_of(quota: Quota, *, dialect: str, is_submit: bool) -> list[Rate]:
    """List the limits that one request has to pass: the team's own, and its dialect's."""
    of_dialect = quota.dialect_limits(dialect)
    kind, per_second = (
        ("submit", of_dialect.submits_per_second) if is_submit else ("query", of_dialect.queries_per_second)
    )
    rates = [Rate("requests", quota.requests_per_second)] if quota.requests_per_second else []
    return [*rates, Rate(f"{dialect}-{kind}", per_second)] if per_second else rates


def request_spend(team: Team, rates: list[Rate]) -> list[Standing]:
    """Count one request against every limit, up to the first that is used up; say how they stand.

    Redis being away lets the request pass: what it asks of the queue is refused there anyway.
    """
    standings = []
    for rate in rates:
        item = RateLimitItemPerSecond(rate.per_second, WINDOW_S)
        try:
            passed = _limiter().hit(item, str(team.pk), rate.name)
            stats = _limiter().get_window_stats(item, str(team.pk), rate.name)
        except (RedisError, OSError):
            continue
        left = max(0, stats.remaining) if passed else 0
        resets_in_s = max(1, math.ceil(stats.reset_time - time.time()))
        standings.append(Standing(rate.name, rate.per_second, WINDOW_S, left, resets_in_s, is_over=not passed))
        if not passed:
            break
    return standings


def require_room(standings: list[Standing]) -> None:
    """Raise RateLimited when a request was one too many."""
    for standing in standings:
        if standing.is_over:
            raise RateLimited(
                f"Your team may send {standing.limit} requests a second here.", retry_after_s=standing.resets_in_s
            )


def allowance_standings(found: list[Allowance]) -> list[Standing]:
    """Give the day's and the month's pictures in the same form."""
    now = timezone.now()
    days = {"day": 1, "month": 30}
    return [
        Standing(
            f"pictures-{allowance.kind}",
            allowance.limit,
            days[allowance.kind] * 86_400,
            allowance.left,
            max(1, math.ceil((allowance.resets_at - now).total_seconds())),
        )
        for allowance in found
        if allowance.limit is not None
    ]


def rate_limit_headers(standings: Sequence[Standing]) -> dict[str, str]:
    """Write the fields of the IETF draft (draft-ietf-httpapi-ratelimit-headers): policy, and how it stands."""
    if not standings:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{one.name}";q={one.limit};w={one.window_s}' for one in standings),
        "RateLimit": ", ".join(f'"{one.name}";r={one.left};t={one.resets_in_s}' for one in standings),
    }


@cache
def _limiter() -> MovingWindowRateLimiter:
    """Connect once a process, to the same Redis as the queue."""
    return MovingWindowRateLimiter(RedisStorage(settings.REDIS_URL, key_prefix="keyline:rate"))
