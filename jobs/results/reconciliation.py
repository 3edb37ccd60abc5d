"""Search for stored files without a database row, and for rows without a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.models import Action, Artifact, BackgroundPicture, PendingDeletion, Upload
from jobs.results import storage
from jobs.results.deletions import files_delete

# A younger file may belong to an attempt or a transaction that has not ended.
YOUNG = dt.timedelta(hours=1)
# These folders contain only files of this site. Beside them, a bucket or folder may contain other files.
_FOLDERS = ("teams/",)
_ROWS_PER_QUERY = 500


@dataclass(slots=True)
class Differences:
    """The differences between the storage and the database.

    files: keys of the files without a row.
    artifacts, uploads: the rows without a file.
    """

    files: list[str] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.files or self.artifacts or self.uploads)


def differences() -> Differences:
    """Return the differences between the storage and the database.

    Files younger than one hour are ignored. Exceptions of the storage are not caught.
    """
    stored = {key for folder in _FOLDERS for key in storage.files_under(folder)}
    known: set[str] = set()
    found = Differences()
    for artifact in Artifact.objects.select_related("job").order_by("pk").iterator(_ROWS_PER_QUERY):
        known.add(artifact.key)
        if _is_missing(artifact.key, stored):
            found.artifacts.append(artifact)
    for upload in Upload.objects.order_by("pk").iterator(_ROWS_PER_QUERY):
        known.add(upload.key)
        if _is_missing(upload.key, stored):
            found.uploads.append(upload)
    known.update(BackgroundPicture.objects.values_list("key", flat=True))
    deleted_soon = list(PendingDeletion.objects.values_list("key", flat=True))
    orphans = sorted(key for key in stored - known if not _is_covered(key, deleted_soon))
    found.files = [key for key in orphans if _is_old(key)]
    return found


def differences_resolve(found: Differences) -> None:
    """Delete files without rows and rows without files, and record the number of deletions in an audit entry.

    Before a row is deleted, the function checks again that its file is missing. `files_delete` keeps the files that
    have a row by now.

    found: the result of `differences`.
    """
    with transaction.atomic():
        files_delete(keys=found.files)
        rows = [artifact.pk for artifact in _still_missing(found.artifacts)]
        uploads = [upload.pk for upload in _still_missing(found.uploads)]
        Artifact.objects.filter(pk__in=rows).delete()
        Upload.objects.filter(pk__in=uploads).delete()
        audit_append(
            action=Action.ADMIN_DELETED,
            author=Author(name="reconcile"),
            after={"files": len(found.files), "artifacts": len(rows), "uploads": len(uploads)},
        )


def _still_missing(rows: Iterable[Artifact] | Iterable[Upload]) -> Iterator[Artifact | Upload]:
    return (row for row in rows if not default_storage.exists(row.key))


def _is_missing(key: str, stored: set[str]) -> bool:
    """Return whether the file `key` of a row is missing.

    A file outside the folders in _FOLDERS is looked up in the storage.

    stored: the keys of all files in these folders.
    """
    return key not in stored and (key.startswith(_FOLDERS) or not default_storage.exists(key))


def _is_covered(key: str, deletions: list[str]) -> bool:
    return any(key == deletion or (deletion.endswith("/") and key.startswith(deletion)) for deletion in deletions)


def _is_old(key: str) -> bool:
    try:
        return default_storage.get_modified_time(key) < timezone.now() - YOUNG
    except FileNotFoundError:
        return False
