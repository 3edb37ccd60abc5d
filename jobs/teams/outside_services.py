"""A limit of how many requests may wait for an external service that may hang.

Such services are an LDAP directory or a provider of single sign-on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_MOST = 3
_WAIT_S = 1.0
_PAUSE_S = 10.0


class OutsideAway(Exception):
    """The service failed a moment ago, or too many requests wait for it. The message gives the reason."""


class OutsideService:
    """The limit of the number of simultaneous requests of this process to one external service.

    At most three threads may wait for the service, so that the other threads serve the site. After a failure, no
    requests are sent for ten seconds. failures: the errors that mean that the service is unavailable.
    """

    def __init__(self, *failures: type[Exception]) -> None:
        self._failures = failures
        self._free = threading.BoundedSemaphore(_MOST)
        self._away_until_s = 0.0

    @contextmanager
    def request(self) -> Iterator[None]:
        """Return a context manager for one request to the service; its body sends the request.

        It raises OutsideAway if the service failed less than ten seconds ago, or if three other requests still wait
        after one second.
        """
        if time.monotonic() < self._away_until_s:
            raise OutsideAway("it has failed a moment ago")
        if not self._free.acquire(timeout=_WAIT_S):
            raise OutsideAway("too many requests wait for it")
        try:
            yield
        except self._failures:
            self._away_until_s = time.monotonic() + _PAUSE_S
            raise
        finally:
            self._free.release()

    def forget(self) -> None:
        """Allow requests again after a failure."""
        self._away_until_s = 0.0
