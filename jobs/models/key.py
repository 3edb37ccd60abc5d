"""API keys, stored as hashes."""

from __future__ import annotations

import hashlib
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    SUBMIT = "submit", _("Submit pictures")
    READ = "read", _("Read jobs and results")
    SERVER_FILES = "server-files", _("Read and write folders of the server")
    ADMIN = "admin", _("Manage the model")


class ApiKey(models.Model):
    """An API key of a team. The secret has 256 random bits, so a single round of SHA-256 protects it well enough."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("Team", verbose_name=_("team"), on_delete=models.CASCADE, related_name="keys")
    name = models.CharField(_("name"), max_length=120)
    public_id = models.CharField(_("public id"), max_length=32, unique=True)
    secret_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(_("scopes"), default=list)
    allowed_networks = models.JSONField(
        _("allowed networks"), default=list, blank=True, help_text=_("Empty: from anywhere.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"

    @staticmethod
    def hash_of(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes
