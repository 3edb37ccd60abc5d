"""Native API: a cache of the recently rendered JSON of unfinished jobs, because many clients poll the same job."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MOST = 32
KEPT_S = 5.0


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered response: its body, its Link header (empty without one), and the monotonic time of rendering."""

    body: bytes
    link: str
    rendered_at_s: float


class Recent:
    """The cache of recently rendered responses of this process. A response's key changes with its content.

    clock: returns a monotonic time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rendered: OrderedDict[Hashable, Rendered] = OrderedDict()

    def get(self, key: Hashable) -> Rendered | None:
        """Return the response with this key if it is at most KEPT_S seconds old; otherwise None."""
        with self._lock:
            found = self._rendered.get(key)
        return found if found is not None and self._clock() - found.rendered_at_s <= KEPT_S else None

    def put(self, key: Hashable, body: bytes, link: str) -> None:
        """Store a response (its body and its Link header), and delete the oldest ones if there are more than MOST."""
        with self._lock:
            self._rendered[key] = Rendered(body, link, self._clock())
            self._rendered.move_to_end(key)
            while len(self._rendered) > MOST:
                self._rendered.popitem(last=False)
