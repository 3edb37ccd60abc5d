"""The cache that all web processes and workers share.

It stores the numbers on the dashboard of the admin, the teams whose webhook receivers are slow, and the counters of
wrong codes at sign-in.
"""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError


class SharedCache(RedisCache):
    """A cache in the Redis server of the queue.

    If Redis cannot be reached, the memory of the process is used instead, so that users can still sign in.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._local = LocMemCache("while-redis-is-away", params)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._call("add", key, value, timeout, version))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._call("get", key, default, version)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._call("set", key, value, timeout, version)

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._call("delete", key, version))

    def clear(self) -> None:
        """Delete only the keys of this cache, because the same Redis database also contains the queue."""
        client = self._cache.get_client(None, write=True)
        for key in client.scan_iter(match=f"{self.key_prefix}:*"):
            client.delete(key)
        self._local.clear()

    def _call(self, method: str, *values: Any) -> Any:
        try:
            return getattr(super(), method)(*values)
        except (RedisError, OSError):
            return getattr(self._local, method)(*values)
