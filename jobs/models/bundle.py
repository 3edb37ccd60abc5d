"""Zips of results that have been requested and not been made yet."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from jobs.models.lease import Leased


class Bundle(Leased):
    """The pending zip of a job. The row is created when the job's last picture ends, and deleted when the job ends."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.OneToOneField("Job", on_delete=models.CASCADE, related_name="bundle")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"zip of {self.job_id}"
