"""Sums that all processes of a site share. They are stored in the broker (Redis).

Workers add to the sums, and the route /metrics reads them. If the broker loses its data, the sums restart at zero,
which Prometheus detects. Counting raises no error: if the broker cannot be reached within a second, nothing is counted.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_KEY = "keyline:metrics"


def count(name: str, amount: float = 1.0, **labels: str) -> None:
    """Add `amount` to the sum with this name and these labels."""
    _add({_field(name, labels): amount})


def observe(name: str, values_s: dict[str, float], *, label: str) -> None:
    """Add durations in seconds to the histogram `name`.

    label: the name of the histogram's label.
    values_s: the duration for each value of this label.
    """
    amounts: dict[str, float] = {}
    for value, duration_s in values_s.items():
        labels = {label: value}
        bucket = next((str(bound) for bound in BUCKETS_S if duration_s <= bound), "+Inf")
        amounts[_field(f"{name}_bucket", labels | {"le": bucket})] = 1
        amounts[_field(f"{name}_sum", labels)] = duration_s
    _add(amounts)


def totals() -> list[tuple[str, dict[str, str], float]]:
    """Return all sums as (name, labels, value); raise RedisError if the broker cannot be reached."""
    stored: Any = _connection(settings.REDIS_URL).hgetall(_KEY)
    return [(*_parts(field.decode()), float(value)) for field, value in stored.items()]


def _add(amounts: dict[str, float]) -> None:
    try:
        pipeline = _connection(settings.REDIS_URL).pipeline(transaction=False)
        for field, amount in amounts.items():
            pipeline.hincrbyfloat(_KEY, field, amount)
        pipeline.execute()
    except (RedisError, OSError):
        return


def _field(name: str, labels: dict[str, str]) -> str:
    return json.dumps([name, sorted(labels.items())], separators=(",", ":"))


def _parts(field: str) -> tuple[str, dict[str, str]]:
    name, labels = json.loads(field)
    return name, dict(labels)


@lru_cache(maxsize=2)
def _connection(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
