"""Stage 8, results: delete stored files for certain, also when the storage refuses or the process dies meanwhile."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from jobs.commit import after_commit
from jobs.models import Artifact, PendingDeletion, Upload
from jobs.results import storage

logger = logging.getLogger(__name__)

_AT_ONCE_TAKES = dt.timedelta(minutes=1)
_COMMIT_TAKES = dt.timedelta(minutes=10)
_LONGEST_PAUSE_S = 3600
_KEYS_A_QUERY = 500


def files_delete(*, keys: Iterable[str], after: dt.timedelta | None = None) -> None:
    """Delete files and folders with the commit of the caller's transaction, or later by `after`.

    What cannot be deleted then is tried again by the sweeper until it is gone.
    """
    rows = _remembered(keys, after or _AT_ONCE_TAKES)
    if after is None:
        after_commit(_delete_all, rows)


def files_discard(*, keys: Iterable[str], error: BaseException | None = None) -> None:
    """Delete what was stored for rows that were then not written; `error` says why they were not.

    When the connection to the database broke, the commit may have succeeded and only its answer been lost: then the
    sweeper decides, once it is certain whether there are rows.
    """
    keys = list(keys)
    try:
        if not isinstance(error, OperationalError | InterfaceError):
            kept = _kept(keys)
            keys = [key for key in keys if key not in kept and not _is_deleted(key)]
        _remembered(keys, _COMMIT_TAKES)
    except Exception:
        logger.exception("these files may be left behind: %s", ", ".join(keys))


def deletions_retry(*, limit: int = 500) -> int:
    """Delete what could not be deleted at once; say how many files and folders went. The sweeper calls it."""
    return _delete_all(PendingDeletion.objects.filter(next_try_at__lte=timezone.now())[:limit])


def _remembered(keys: Iterable[str], delay: dt.timedelta) -> list[PendingDeletion]:
    then = timezone.now() + delay
    return PendingDeletion.objects.bulk_create(
        PendingDeletion(key=key, next_try_at=then) for key in dict.fromkeys(keys)
    )


def _delete_all(rows: Iterable[PendingDeletion]) -> int:
    gone = []
    for row in rows:
        if _is_deleted_whole(row):
            gone.append(row.pk)
        else:
            pause_s = min(_LONGEST_PAUSE_S, 60 * 2 ** min(row.tries, 10))
            row.tries += 1
            row.next_try_at = timezone.now() + dt.timedelta(seconds=pause_s)
            # A row that another machine has worked off meanwhile stays away.
            PendingDeletion.objects.filter(pk=row.pk).update(tries=row.tries, next_try_at=row.next_try_at)
    for some in _batches(gone):
        PendingDeletion.objects.filter(pk__in=some).delete()
    return len(gone)


def _is_deleted_whole(row: PendingDeletion) -> bool:
    """Delete a file or a folder but for what a row points to; False when something of it could not be deleted."""
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
    """Find the keys that a row points to: a name can have been given again, and a commit can have succeeded unheard."""
    return {
        key
        for some in _batches(keys)
        for model in (Artifact, Upload)
        for key in model.objects.filter(key__in=some).values_list("key", flat=True)
    }


def _batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Cut into parts that a database takes as the parameters of one query."""
    return (values[start : start + _KEYS_A_QUERY] for start in range(0, len(values), _KEYS_A_QUERY))
