"""Deletions that the storage has yet to carry out."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class PendingDeletion(models.Model):
    """Name a stored file, or a whole folder (its key ends with a slash), until it is deleted.

    The row is written in the transaction that deletes the file's own row, so a crash or a failing storage right after
    it does not keep the file for ever.
    """

    key = models.CharField(max_length=400, help_text="The file's name in the storage; a folder's ends with a slash.")
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["next_try_at"]
        indexes = [models.Index(fields=["next_try_at"], name="deletion_by_next_try")]

    def __str__(self) -> str:
        return self.key

    @property
    def is_folder(self) -> bool:
        return self.key.endswith("/")
