"""Native API: cache the ETags and responses of jobs, because many clients request the same job repeatedly."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered response: its body and its Link header. The header is empty if the response has none."""

    body: bytes
    link: str


class Recent(Generic[_Value]):
    """A cache of the newest values in this process. Its methods are thread-safe.

    The key of a value must contain everything that the value depends on.

    most: the maximum number of values; if there are more, the oldest ones are deleted.
    kept_s: for how many seconds a value can be read.
    clock: a function that returns a monotonic time in seconds.
    """

    def __init__(self, *, most: int, kept_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._kept_s, self._clock = most, kept_s, clock
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[_Value, float]] = OrderedDict()

    def get(self, key: Hashable) -> _Value | None:
        """Return the value with this key if it is at most `kept_s` seconds old; otherwise return None."""
        with self._lock:
            found = self._values.get(key)
        return found[0] if found is not None and self._clock() - found[1] <= self._kept_s else None

    def put(self, key: Hashable, value: _Value) -> None:
        """Store a value. If the cache then contains more than `most` values, delete the oldest values."""
        with self._lock:
            self._values[key] = value, self._clock()
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
