"""Deletion of stored files. If a deletion fails or its process ends, the deletion is retried later."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.utils import timezone

from jobs.commit import after_commit
from jobs.models import Artifact, BackgroundPicture, PendingDeletion, Upload
from jobs.results import storage
from jobs.work.leases import LeasedWork, sweep

logger = logging.getLogger(__name__)

_LEASE_S = 60.0
# A transaction with an unknown outcome has certainly ended after this time.
_COMMIT_TAKES = dt.timedelta(minutes=10)
_LONGEST_PAUSE_S = 3600
_KEYS_PER_QUERY = 500


def files_delete(*, keys: Iterable[str], after: dt.timedelta | None = None) -> None:
    """Delete files and folders when the current transaction commits.

    `deletions_retry` repeats failed deletions until they succeed.

    keys: the names in the storage. The name of a folder ends with a slash.
    after: a delay before the deletion; None means that the files are deleted at the commit.
    """
    if after is not None:
        _remember(keys, next_try_at=timezone.now() + after)
        return
    # This process holds the lease of the first attempt from the start.
    rows = _remember(keys, attempt=1, leased_until=timezone.now() + dt.timedelta(seconds=_LEASE_S))
    after_commit(_work_off, rows)


def files_discard(*, keys: Iterable[str], error: BaseException | None = None) -> None:
    """Delete files whose database rows could not be written. This function never raises an error.

    If the connection to the database broke, the commit may have succeeded although no confirmation arrived. In this
    case `deletions_retry` checks later whether the rows exist, and deletes only the files without a row.

    keys: the names of the files in the storage.
    error: the exception because of which the rows were not written; None if there was no exception.
    """
    keys = list(keys)
    try:
        if not isinstance(error, OperationalError | InterfaceError):
            kept = _kept(keys)
            keys = [key for key in keys if key not in kept and not _is_deleted(key)]
        _remember(keys, next_try_at=timezone.now() + _COMMIT_TAKES)
    except Exception:
        logger.exception("these files may be left behind: %s", ", ".join(keys))


def deletions_retry(*, limit: int = 500) -> int:
    """Retry up to `limit` failed deletions, and return the number of deleted files and folders.

    A background thread (`jobs.running.upkeep`) calls this function regularly.
    """
    return sweep(_Deletions(), limit=limit)


class _Deletions(LeasedWork[PendingDeletion]):
    """The pending deletions as work that a process claims with a lease.

    The queue contains no message for a deletion, because `send` itself deletes the files.
    """

    def rows(self) -> QuerySet[PendingDeletion]:
        return PendingDeletion.objects.order_by("next_try_at")

    def due(self) -> QuerySet[PendingDeletion]:
        return PendingDeletion.claimable().order_by("next_try_at")

    def send(self, rows: Sequence[PendingDeletion]) -> int:
        return _work_off([row for row in rows if row.claim(lease_s=_LEASE_S)])


def _remember(keys: Iterable[str], **values: Any) -> list[PendingDeletion]:
    return PendingDeletion.objects.bulk_create(PendingDeletion(key=key, **values) for key in dict.fromkeys(keys))


def _work_off(rows: Iterable[PendingDeletion]) -> int:
    """Delete the files of the claimed rows, and return the number of rows whose files were deleted.

    If a deletion fails, it is retried after a pause. The pause doubles with each failure.
    """
    deleted = []
    for row in rows:
        if _is_deleted_whole(row):
            deleted.append(row.pk)
        else:
            row.release(delay_s=min(_LONGEST_PAUSE_S, 60 * 2 ** min(row.attempt - 1, 10)))
    for some in _batches(deleted):
        PendingDeletion.objects.filter(pk__in=some).delete()
    return len(deleted)


def _is_deleted_whole(row: PendingDeletion) -> bool:
    """Delete a file or folder, but keep files that still have a database row.

    Return False if a file could not be deleted.
    """
    try:
        keys = list(storage.files_under(row.key)) if row.is_folder else [row.key]
    except Exception:
        logger.exception("listing %s failed", row.key)
        return False
    kept = _kept(keys)
    failed = [key for key in keys if key not in kept and not _is_deleted(key)]
    return not failed


def _is_deleted(key: str) -> bool:
    try:
        storage.delete(key)
    except Exception:
        logger.exception("deleting %s failed", key)
        return False
    return True


def _kept(keys: Sequence[str]) -> set[str]:
    """Return the keys of the files that must stay, because they have a database row.

    A file has a row if it is a new file with the same name, or if a commit succeeded without a confirmation.
    """
    return {
        key
        for some in _batches(keys)
        for model in (Artifact, Upload, BackgroundPicture)
        for key in model.objects.filter(key__in=some).values_list("key", flat=True)
    }


def _batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Split a list into parts that fit the database's limit of query parameters."""
    return (values[start : start + _KEYS_PER_QUERY] for start in range(0, len(values), _KEYS_PER_QUERY))
