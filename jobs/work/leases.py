"""Leases and their regular recovery: one implementation for pictures, zips, webhook deliveries, mail and deletions.

A worker claims a row (`Leased.claim`), renews the lease of the row while it works (`lease_kept`), and ends or releases
the row. The regular recovery (`sweep`) returns the rows of dead workers to the queue, ends rows whose workers died too
often, and sends messages that were lost or planned for later.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Generic, TypeVar

from django.db import close_old_connections, connection
from django.db.models import QuerySet
from django.utils import timezone

from jobs.models import Leased
from jobs.telemetry.transitions import lease_lost

logger = logging.getLogger(__name__)

_Row = TypeVar("_Row", bound=Leased)


class LeasedWork(ABC, Generic[_Row]):
    """One kind of leased work for `sweep`: the rows, and how to send, release and end a row.

    max_strikes: a row is ended when its workers have died this many times; None means no limit.
    """

    max_strikes: int | None = None

    @abstractmethod
    def rows(self) -> QuerySet[_Row]:
        """Return the rows that have not ended, in the order in which they should be processed."""

    @abstractmethod
    def due(self) -> QuerySet[_Row]:
        """Return the waiting rows that must have a message in a queue now."""

    @abstractmethod
    def send(self, rows: Sequence[_Row]) -> int:
        """Send messages for the rows, and return the number of messages."""

    def sent_ids(self) -> set[str]:
        """Return the ids of the rows that have a message in a queue."""
        return set()

    def release(self, row: _Row) -> bool:
        """Set a row whose worker is dead back to waiting; return False if another process did this first."""
        return row.release()

    def give_up(self, row: _Row) -> bool:
        """End a row whose workers died `max_strikes` times; return False if another process did this first."""
        raise NotImplementedError


def sweep(work: LeasedWork[_Row], *, limit: int = 500) -> int:
    """Recover the rows with an expired lease, then send the due rows that have no message. Return the number of rows.

    Several hosts may call this function at the same time: each row is released by one conditional update, and a
    duplicate message does no harm.
    limit: the largest number of rows that are recovered, and also the largest number of rows that are sent.
    """
    expired = work.rows().filter(leased_until__lt=timezone.now())[:limit]
    return recover(work, expired) + resend(work, limit=limit)


def recover(work: LeasedWork[_Row], rows: Iterable[_Row]) -> int:
    """Release the rows of dead workers and send them again, or end rows whose workers died too often.

    Return the number of rows.
    """
    given_up, released = 0, []
    for row in rows:
        if work.max_strikes is not None and row.strikes >= work.max_strikes:
            given_up += work.give_up(row)
        elif work.release(row):
            logger.warning("%s lost worker %s and is queued again", row, row.claimed_by or "unknown")
            lease_lost()
            released.append(row)
    if released:
        work.send(released)
    return given_up + len(released)


def resend(work: LeasedWork[_Row], *, limit: int) -> int:
    """Send up to `limit` due rows that have no message, and return the number of sent rows.

    A message can be missing because a retry has become due, Redis lost the message, or the worker died early. All due
    rows are checked, so that a long queue cannot hide lost messages.
    """
    if not work.due().exists():
        return 0
    sent = work.sent_ids()
    ids = work.due().values_list("pk", flat=True).iterator()
    lost = list(islice((row_id for row_id in ids if str(row_id) not in sent), limit))
    return work.send(list(work.rows().filter(pk__in=lost))) if lost else 0


@contextmanager
def lease_kept(row: Leased, *, lease_s: float) -> Iterator[None]:
    """Return a context manager that renews the lease of a row in a thread while the `with` block runs.

    The renewal stops if the lease is lost.
    lease_s: the duration of the lease in seconds.
    """
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(lease_s / 4):
            try:
                close_old_connections()
                if not row.renew(lease_s=lease_s):
                    break
            except Exception:
                logger.exception("the lease of %s could not be renewed; the next try follows", row)
        connection.close()

    thread = threading.Thread(target=keep, name=f"lease of {row}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
