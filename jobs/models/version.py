"""Versions of a picture. The user can restore them in the editor."""

from __future__ import annotations

import uuid

from django.db import models


class Version(models.Model):
    """A version of a picture after its first result: a correction by the model, or an edit that the user saved.

    run: the job that made a correction. Lists of jobs leave this job out. For a saved edit, this is the job whose
        result was edited, or None if the first result was edited.
    file: the file of a saved edit; a correction has none.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey("JobImage", on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(help_text="From 2; the first result is number 1.")
    name = models.CharField(max_length=80, blank=True)
    run = models.ForeignKey("Job", null=True, blank=True, on_delete=models.CASCADE, related_name="versions")
    edit = models.JSONField(default=dict, blank=True, help_text="What the editor brings back: settings and strokes.")
    file = models.ForeignKey("Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    thumbnail = models.ForeignKey("Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["image", "number"], name="one_version_a_number")]

    def __str__(self) -> str:
        return self.name or f"version {self.number}"

    @property
    def is_saved_by_hand(self) -> bool:
        return self.thumbnail_id is not None or self.file_id is not None
