"""Native API: the JSON of unfinished jobs that was rendered last, because many pollers request the same one."""

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
    """A rendered response: its body and its Link header, empty without one."""

    body: bytes
    link: str
    rendered_at_s: float


class Recent:
    """The last rendered responses of this process, by a key that changes with their content."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rendered: OrderedDict[Hashable, Rendered] = OrderedDict()

    def get(self, key: Hashable) -> Rendered | None:
        """Return a response of the last KEPT_S seconds, or None."""
        with self._lock:
            found = self._rendered.get(key)
        return found if found is not None and self._clock() - found.rendered_at_s <= KEPT_S else None

    def put(self, key: Hashable, body: bytes, link: str) -> None:
        """Store a response; drop the oldest if there are more than MOST."""
        with self._lock:
            self._rendered[key] = Rendered(body, link, self._clock())
            self._rendered.move_to_end(key)
            while len(self._rendered) > MOST:
                self._rendered.popitem(last=False)
