"""Activations of weights files."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ModelVersion(models.Model):
    """Store one activation of a weights file. Workers load the active row before their next picture."""

    name = models.CharField(max_length=120)
    path = models.CharField(max_length=400, help_text="Relative to the weights folder.")
    sha256 = models.CharField(max_length=64)
    architecture = models.CharField(max_length=60)
    is_active = models.BooleanField(default=False)
    loaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    loaded_by_name = models.CharField(max_length=160, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["is_active"], condition=models.Q(is_active=True), name="one_active_model")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.sha256[:12]}"
