"""Zips of results that were requested but do not exist yet."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from jobs.models.lease import Leased


class Bundle(Leased):
    """A job's zip that must still be made.

    The row is created when the last picture of the job ends, and deleted when the job ends.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.OneToOneField("Job", on_delete=models.CASCADE, related_name="bundle")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"zip of {self.job_id}"
