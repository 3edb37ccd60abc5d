"""Stored files that must be deleted and still exist."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from jobs.models.lease import Leased


class PendingDeletion(Leased):
    """A stored file, or a folder with its content, that must be deleted.

    The row is created in the same transaction that deletes the row of the file. So the file is deleted later, even if
    the process crashes after the commit or if the storage fails.
    """

    key = models.CharField(max_length=400, help_text="The file's name in the storage; a folder's ends with a slash.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["next_try_at"]
        indexes = [models.Index(fields=["next_try_at"], name="deletion_by_next_try")]

    def __str__(self) -> str:
        return self.key

    @property
    def is_folder(self) -> bool:
        return self.key.endswith("/")
