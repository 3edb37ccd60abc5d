"""The stored files of jobs and pictures."""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath

from django.db import models
from django.utils.translation import gettext_lazy as _


class Artifact(models.Model):
    """A stored file of a job or picture. The row is created in the same transaction that publishes the result."""

    class Kind(models.TextChoices):
        SOURCE = "source", _("Source")
        CUTOUT = "cutout", _("Cutout")
        MASK = "mask", _("Mask")
        ALPHA = "alpha", _("Alpha")
        VISUALIZATION = "visualization", _("Visualization")
        THUMBNAIL = "thumbnail", _("Thumbnail")
        PREVIEW = "preview", _("Preview")
        VARIANT = "variant", _("Variant")
        VARIANT_SMALL = "variant_small", _("Variant Small")  # the thumbnail of a saved version
        FINISHED = "finished", _("Finished")
        ZIP = "zip", _("Zip")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey("Job", on_delete=models.CASCADE, related_name="artifacts")
    image = models.ForeignKey("JobImage", null=True, blank=True, on_delete=models.CASCADE, related_name="artifacts")
    kind = models.CharField(max_length=14, choices=Kind.choices)
    key = models.CharField(max_length=400, unique=True, help_text="The file's name in the storage.")
    content_type = models.CharField(max_length=80)
    bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(fields=["expires_at"], name="artifact_by_expiry")]

    def __str__(self) -> str:
        return self.key

    @property
    def file_name(self) -> str:
        return PurePosixPath(self.key).name
