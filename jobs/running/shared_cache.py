"""Stage 1, intake: what all web processes remember together: how often somebody tried, and the admin's figures."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError


class SharedCache(RedisCache):
    """Keep in the queue's Redis; while that is away, in the process's own memory, so that signing in still works."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._own = LocMemCache("while-redis-is-away", params)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._asked("add", key, value, timeout, version)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._asked("get", key, default, version)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._asked("set", key, value, timeout, version)

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._asked("delete", key, version)

    def clear(self) -> None:
        """Forget what is kept here alone: the queue lies in the same database."""
        client = self._cache.get_client(None, write=True)
        for key in client.scan_iter(match=self.make_key("*", version="*")):
            client.delete(key)
        self._own.clear()

    def _asked(self, deed: str, *values: Any) -> Any:
        try:
            return getattr(super(), deed)(*values)
        except (RedisError, OSError):
            return getattr(self._own, deed)(*values)
