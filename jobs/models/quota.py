"""Quotas of teams. An empty column means no limit. A team without a row has the default limits of the site."""

from __future__ import annotations

from dataclasses import fields, replace

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from segmentation.options import Quality

from .dialects import DialectLimits, default_limits_of
from .team import Team

_AT_LEAST_ONE = MinValueValidator(1)
_DIALECT_FIELDS = {field.name for field in fields(DialectLimits)}


def validate_dialects(value: object) -> None:
    """Raise ValidationError if the value is not a valid JSON object with limits of single dialects.

    Example: `{"native": {"running_tasks": 4, "submits_per_second": null}}`. A limit is an integer of at least 1, or
    null for no limit. The names of the dialects are not checked.
    """
    if not isinstance(value, dict):
        raise ValidationError(_('Write an object: {"dialect": {"limit": number}}.'))
    for dialect, limits in value.items():
        if not isinstance(limits, dict) or set(limits) - _DIALECT_FIELDS:
            names = ", ".join(sorted(_DIALECT_FIELDS))
            raise ValidationError(_("%(name)s: choose from %(names)s.") % {"name": dialect, "names": names})
        for name, limit in limits.items():
            if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
                message = _("%(name)s: a whole number from 1, or null for no limit.")
                raise ValidationError(message % {"name": f"{dialect}.{name}"})


def validate_quality_units(value: object) -> None:
    """Raise ValidationError if the value is not a valid JSON object with the quota units of each quality.

    Example: `{"fine": 3, "auto": 2}`. Units are integers from 1 to 100.
    """
    if not isinstance(value, dict) or set(value) - set(Quality):
        message = _("Write an object of weights: choose from %(names)s.")
        raise ValidationError(message % {"names": ", ".join(Quality)})
    for name, units in value.items():
        if not isinstance(units, int) or isinstance(units, bool) or not 1 <= units <= 100:
            raise ValidationError(_("%(name)s: a whole number from 1 to 100.") % {"name": name})


class Quota(models.Model):
    """The limits of one team. Days and months begin at midnight in the time zone of the setting TIME_ZONE."""

    LIMITS = (
        "images_per_day",
        "images_per_month",
        "requests_per_second",
        "running_tasks",
        "pending_tasks",
        "stored_bytes",
        "max_image_bytes",
        "max_image_megapixels",
        "retention_hours",
    )

    team = models.OneToOneField(
        "Team", verbose_name=_("team"), primary_key=True, on_delete=models.CASCADE, related_name="quota"
    )
    images_per_day = models.PositiveIntegerField(_("pictures a day"), null=True, blank=True)
    images_per_month = models.PositiveIntegerField(_("pictures a month"), null=True, blank=True)
    requests_per_second = models.PositiveIntegerField(
        _("requests a second"), null=True, blank=True, validators=[_AT_LEAST_ONE]
    )
    running_tasks = models.PositiveIntegerField(
        _("running tasks"),
        null=True,
        blank=True,
        validators=[_AT_LEAST_ONE],
        help_text=_("Pictures worked on at once; further ones wait."),
    )
    pending_tasks = models.PositiveIntegerField(
        _("pending tasks"), null=True, blank=True, help_text=_("Pictures that may wait; further ones are refused.")
    )
    stored_bytes = models.PositiveBigIntegerField(_("stored bytes"), null=True, blank=True)
    max_image_bytes = models.PositiveIntegerField(
        _("largest picture, bytes"), null=True, blank=True, validators=[_AT_LEAST_ONE]
    )
    max_image_megapixels = models.FloatField(
        _("largest picture, megapixels"), null=True, blank=True, validators=[MinValueValidator(0.01)]
    )
    retention_hours = models.PositiveIntegerField(
        _("retention, hours"), null=True, blank=True, validators=[_AT_LEAST_ONE]
    )
    quality_units = models.JSONField(
        _("weight of qualities"),
        null=True,
        blank=True,
        validators=[validate_quality_units],
        help_text=_('What one picture counts, by quality: {"fine": 3}. Others count 1. Empty: the site\'s default.'),
    )
    dialects = models.JSONField(
        _("limits of single dialects"),
        default=dict,
        blank=True,
        validators=[validate_dialects],
        help_text=_('Changes to a dialect\'s own limits: {"native": {"running_tasks": 4}}. null means no limit.'),
    )

    class Meta:
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")

    def __str__(self) -> str:
        return f"quota of {self.team}"

    @classmethod
    def default_of(cls, team: Team) -> Quota:
        """Return an unsaved quota of `team` with the site's defaults (the settings MATTING_QUOTA_…)."""
        return cls(team=team, **{name: settings.MATTING_QUOTA[name] for name in cls.LIMITS})

    def dialect_limits(self, dialect: str) -> DialectLimits:
        """Return the limits of this team in a dialect: the default limits, changed by the team's own values."""
        return replace(default_limits_of(dialect), **self.dialects.get(dialect, {}))

    def units_of(self, quality: str) -> int:
        """Return the number of quota units that one picture of this quality costs. The default is 1."""
        weights = settings.MATTING_QUALITY_UNITS if self.quality_units is None else self.quality_units
        return int(weights.get(quality, 1))

    def as_json(self) -> dict[str, object]:
        """Return a dict from the name of each limit to its value, for the audit trail and the account page."""
        return {name: getattr(self, name) for name in self.LIMITS} | {
            "quality_units": self.quality_units,
            "dialects": self.dialects,
        }
