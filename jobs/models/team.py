"""Teams and their members."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jobs.models.dialects import dialect_names
from segmentation.options import Quality

_QUALITY_NAMES = {Quality.FAST: _("Fast"), Quality.FINE: _("Fine"), Quality.AUTO: _("Fine where needed")}


def quality_choices() -> list[tuple[str, Promise]]:
    """Return the value and the translated name of each quality.

    Migrations refer to this function, so a new quality needs no migration.
    """
    return [(str(quality), name) for quality, name in _QUALITY_NAMES.items()]


def validate_dialect_qualities(value: object) -> None:
    """Raise ValidationError unless the value maps dialect names to qualities, such as `{"native": "fine"}`."""
    if not isinstance(value, dict) or not all(quality in list(Quality) for quality in value.values()):
        message = _('Write an object: {"dialect": quality}, of %(names)s.')
        raise ValidationError(message % {"names": ", ".join(Quality)})
    if unknown := sorted(set(value) - set(dialect_names())):
        names = {"name": unknown[0], "names": ", ".join(dialect_names())}
        raise ValidationError(_("%(name)s: choose from %(names)s.") % names)


class Team(models.Model):
    """The owner of jobs, API keys, webhooks and a quota. A team cannot see the data of another team."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120, unique=True)
    members_see_all = models.BooleanField(
        _("members see all jobs"),
        default=True,
        help_text=_("Whether a member sees every job of the team or only their own."),
    )
    quality = models.CharField(
        _("quality"),
        max_length=4,
        blank=True,
        default="",
        db_default="",
        choices=quality_choices,
        help_text=_("Quality of pictures that name none; empty: the site's default."),
    )
    dialect_qualities = models.JSONField(
        _("qualities of single dialects"),
        null=True,
        default=dict,
        blank=True,
        validators=[validate_dialect_qualities],
        help_text=_('Qualities of single dialects: {"native": "fine"}.'),
    )
    trial_percent = models.PositiveSmallIntegerField(
        _("share under trial, percent"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(100)],
        help_text=_("Share of the pictures that the model under trial answers."),
    )
    review_above = models.FloatField(
        _("review from uncertainty"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("Uncertainty from which a picture is announced as `image.uncertain`; empty: never."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="teams")

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """The role of one user in one team."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        ADMIN = "admin", _("Admin")
        MEMBER = "member", _("Member")

    MANAGERS = (Role.OWNER, Role.ADMIN)

    team = models.ForeignKey(Team, verbose_name=_("team"), on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_membership_a_team")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team} as {self.role}"

    @property
    def is_manager(self) -> bool:
        return self.role in self.MANAGERS
