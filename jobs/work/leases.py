"""Stages 5 and 8: keep a lease alive while the work under it goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import close_old_connections, connection

logger = logging.getLogger(__name__)


@contextmanager
def lease_kept(renew: Callable[[], bool], *, every_s: float, name: str) -> Iterator[None]:
    """Call `renew` from a thread of its own, until the block ends or `renew` says that the lease is lost."""
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(every_s):
            try:
                close_old_connections()
                if not renew():
                    break
            except Exception:
                logger.exception("the lease of %s could not be renewed this time", name)
        connection.close()

    thread = threading.Thread(target=keep, name=f"lease-{name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
