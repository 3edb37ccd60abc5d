"""Watched folders and bucket prefixes. Staff configure them in the admin."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class WatchedFolder(models.Model):
    """A folder or bucket prefix. Each new picture in it becomes a job of the team.

    `manage.py watch --all` watches all enabled rows.
    """

    team = models.ForeignKey("Team", verbose_name=_("team"), on_delete=models.CASCADE, related_name="watched_folders")
    source = models.CharField(
        _("source"), max_length=400, unique=True, help_text=_("A folder on the server, or s3://bucket/prefix.")
    )
    output = models.CharField(
        _("output"), max_length=400, help_text=_("Where results and the manifest go: a folder, or s3://….")
    )
    recipe = models.CharField(
        _("recipe"),
        max_length=60,
        blank=True,
        help_text=_("Name of a recipe, or name@version; empty for the plain cut-out."),
    )
    settled_s = models.FloatField(
        _("settled after, seconds"),
        default=3.0,
        validators=[MinValueValidator(0), MaxValueValidator(3600)],
        help_text=_("Seconds without a change after which a file is complete."),
    )
    at_once = models.PositiveSmallIntegerField(
        _("pictures at once"),
        default=8,
        validators=[MinValueValidator(1), MaxValueValidator(200)],
        help_text=_("Pictures in progress at once."),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    problem = models.CharField(
        _("problem"), max_length=300, blank=True, editable=False, help_text=_("Why it is not watched.")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("watched folder")
        verbose_name_plural = _("watched folders")
        ordering = ["source"]

    def __str__(self) -> str:
        return self.source
