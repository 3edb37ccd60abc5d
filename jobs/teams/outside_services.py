"""A limit for the number of requests that may wait for an external service at the same time.

Such a service may hang. Examples are an LDAP directory and a provider of single sign-on.
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
    """The external service failed less than ten seconds ago, or too many requests wait for it.

    The message gives the reason.
    """


class OutsideService:
    """A limit for the number of simultaneous requests from this process to one external service.

    At most three threads may wait for the service, so that the other threads can serve the site. After a failure, no
    requests are sent for ten seconds.
    failures: the exceptions that mean that the service is unavailable.
    """

    def __init__(self, *failures: type[Exception]) -> None:
        self._failures = failures
        self._free = threading.BoundedSemaphore(_MOST)
        self._away_until_s = 0.0

    @contextmanager
    def request(self) -> Iterator[None]:
        """Return a context manager for one request to the service. The body of the `with` block sends the request.

        The context manager raises OutsideAway if the service failed less than ten seconds ago, or if three other
        requests still wait after one second.
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
        """Forget a failure, so that requests are sent again immediately."""
        self._away_until_s = 0.0
