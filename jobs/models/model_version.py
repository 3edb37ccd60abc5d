"""Activations of weights files, by role and tier."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """The kinds of requests that a model may support: find the subject, follow boxes and clicks, or find people."""

    SUBJECT = "subject", _("Subject")
    PROMPTS = "prompts", _("Boxes and clicks")
    PEOPLE = "people", _("People")


class Tier(models.TextChoices):
    """The quality of a model: fast, fine or under trial. A role has at most one active model in each tier."""

    FAST = "fast", _("Fast")
    FINE = "fine", _("Fine")
    TRIAL = "trial", _("Trial")  # processes a share of a team's pictures, for comparison with the other models


class ModelVersion(models.Model):
    """One activation of a weights file in a role and tier. Workers read the active rows before each picture.

    If a role has no active row, the tier `fast` uses the built-in model, and the other tiers have no model.
    """

    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.SUBJECT, db_default="subject")
    tier = models.CharField(_("tier"), max_length=5, choices=Tier.choices, default=Tier.FAST, db_default="fast")
    name = models.CharField(_("name"), max_length=120)
    path = models.CharField(_("file"), max_length=400, help_text=_("Relative to the weights folder."))
    sha256 = models.CharField("SHA-256", max_length=64)
    architecture = models.CharField(_("architecture"), max_length=60)
    licence = models.CharField(_("licence"), max_length=400, blank=True, default="", db_default="")
    licence_accepted = models.BooleanField(
        _("licence accepted"),
        default=False,
        db_default=False,
        help_text=_("Whether an operator accepted its restrictions."),
    )
    storage_key = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="Copy in the storage, for hosts without it."
    )
    is_pending = models.BooleanField(
        default=False, db_default=False, help_text="Being copied to the hosts before it is activated."
    )
    is_active = models.BooleanField(_("active"), default=False)
    loaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    loaded_by_name = models.CharField(_("activated by"), max_length=160, blank=True)
    created_at = models.DateTimeField(_("activated"), auto_now_add=True)

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["role", "tier"], condition=models.Q(is_active=True), name="one_active_model_a_place"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.sha256[:12]}"
