"""Cutout settings that users have saved."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Preset(models.Model):
    """A named set of cutout settings that a user has saved. Other users cannot see it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="presets")
    name = models.CharField(max_length=40)
    options = models.JSONField(help_text="Parameters of CutoutOptions, those that differ from the defaults.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_preset_a_name")]

    def __str__(self) -> str:
        return self.name
