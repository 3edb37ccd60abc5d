"""Folders and bucket prefixes that staff have configured to be watched."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class WatchedFolder(models.Model):
    """One folder or bucket prefix whose pictures become jobs of a team.

    `manage.py watch --all` watches the enabled ones.
    """

    team = models.ForeignKey("Team", on_delete=models.CASCADE, related_name="watched_folders")
    source = models.CharField(max_length=400, unique=True, help_text="A folder on the server, or s3://bucket/prefix.")
    output = models.CharField(max_length=400, help_text="Where results and the manifest go: a folder, or s3://….")
    recipe = models.CharField(
        max_length=60, blank=True, help_text="Name of a recipe, or name@version; empty for the plain cut-out."
    )
    settled_s = models.FloatField(
        default=3.0,
        validators=[MinValueValidator(0), MaxValueValidator(3600)],
        help_text="Seconds without a change after which a file is complete.",
    )
    at_once = models.PositiveSmallIntegerField(
        default=8, validators=[MinValueValidator(1), MaxValueValidator(200)], help_text="Pictures in progress at once."
    )
    is_enabled = models.BooleanField(default=True)
    problem = models.CharField(max_length=300, blank=True, editable=False, help_text="Why it is not watched.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["source"]

    def __str__(self) -> str:
        return self.source
