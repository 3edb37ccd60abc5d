"""Recipes of teams, one row for each version, and the background pictures that recipes use.

A recipe is a set of rules that makes files from a cutout: canvas, background, shadow, format and size.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class RecipeVersion(models.Model):
    """One version of a team's recipe. A change of a recipe is stored as a new row; the newest row is current.

    The rows of a deleted recipe remain, because jobs refer to them. A new recipe with the same name continues with the
    next version number.
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
    """A stored picture that a team's recipes may use as a background."""

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
