"""Limits for the number of requests that a team sends per second. The `limits` library counts them in Redis.

The library uses a moving window, which accepts at most `amount` requests in any second. All web processes and machines
share one count, because one Lua script in Redis checks the limit and counts the request.
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
from jobs.quota.windows import Allowance

WINDOW_S = 1
_WINDOW_DAYS = {"day": 1, "month": 30}


@dataclass(frozen=True, slots=True)
class Rate:
    """A named limit of requests per second. Examples of names are `requests` and `native-submit`."""

    name: str
    per_second: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one limit after a request.

    `left` of `limit` units remain in the window of `window_s` seconds. A unit is a request or, for a picture quota, a
    picture. All units are available again in `resets_in_s` seconds.
    is_over: the request exceeded the limit and is not counted.
    """

    name: str
    limit: int
    window_s: int
    left: int
    resets_in_s: int
    is_over: bool = False


def rates_of(quota: Quota, *, dialect: str, is_submit: bool) -> list[Rate]:
    """Return the limits that apply to one request: the team's limit and the limit for the request's API.

    Return an empty list if there are no limits.
    dialect: the name of the request's API (the native API or an emulated vendor API).
    is_submit: True for a submission, False for a query.
    """
    of_dialect = quota.dialect_limits(dialect)
    kind, per_second = (
        ("submit", of_dialect.submits_per_second) if is_submit else ("query", of_dialect.queries_per_second)
    )
    rates = [Rate("requests", quota.requests_per_second)] if quota.requests_per_second else []
    return [*rates, Rate(f"{dialect}-{kind}", per_second)] if per_second else rates


def request_spend(team: Team, rates: list[Rate]) -> list[Standing]:
    """Count one request against each limit, and return the states of the limits.

    Stop at the first limit that is exceeded. If Redis cannot be reached, the request is allowed.
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
    """Raise RateLimited if the request exceeded one of the limits.

    standings: the result of `request_spend`.
    """
    for standing in standings:
        if standing.is_over:
            raise RateLimited(
                f"Your team may send {standing.limit} requests a second here.", retry_after_s=standing.resets_in_s
            )


def allowance_standings(found: list[Allowance]) -> list[Standing]:
    """Return the states of the daily and monthly picture quotas. A quota without a limit is left out."""
    now = timezone.now()
    return [
        Standing(
            f"pictures-{allowance.kind}",
            allowance.limit,
            _WINDOW_DAYS[allowance.kind] * 86_400,
            allowance.limit - min(allowance.used, allowance.limit),
            max(1, math.ceil((allowance.resets_at - now).total_seconds())),
        )
        for allowance in found
        if allowance.limit is not None
    ]


def rate_limit_headers(standings: Sequence[Standing]) -> dict[str, str]:
    """Return the headers RateLimit-Policy and RateLimit; an empty dict if there are no limits.

    The format is defined by draft-ietf-httpapi-ratelimit-headers.
    """
    if not standings:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{one.name}";q={one.limit};w={one.window_s}' for one in standings),
        "RateLimit": ", ".join(f'"{one.name}";r={one.left};t={one.resets_in_s}' for one in standings),
    }


@cache
def _limiter() -> MovingWindowRateLimiter:
    """Return the limiter of this process. It is connected to the queue's Redis."""
    return MovingWindowRateLimiter(RedisStorage(settings.REDIS_URL, key_prefix="keyline:rate"))
