"""Recipes that teams saved, one row a version, and the background pictures that recipes name."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class RecipeVersion(models.Model):
    """Hold one version of a team's recipe. Rows are never changed: a new version is a new row.

    The newest version counts. A deleted recipe keeps its rows, so that jobs can still say what they were made with, and
    its next version starts where it ended.
    """

    team = models.ForeignKey("Team", on_delete=models.CASCADE, related_name="recipes")
    name = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    body = models.JSONField(help_text="segmentation.finish.recipe.Recipe as JSON.")
    is_deleted = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-version"]
        constraints = [models.UniqueConstraint(fields=["team", "name", "version"], name="one_version_a_recipe")]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class BackgroundPicture(models.Model):
    """Point to a picture that a team's recipes may put behind a subject."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("Team", on_delete=models.CASCADE, related_name="backgrounds")
    name = models.CharField(max_length=80)
    key = models.CharField(max_length=400, unique=True, help_text="The file's name in the storage.")
    bytes = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_background_a_name")]

    def __str__(self) -> str:
        return self.name
