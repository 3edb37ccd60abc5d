"""The usage of teams: a ledger of all charges and refunds, and the sums for each day and month."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class UsageEntry(models.Model):
    """One line of the ledger: pictures that were charged (+) or refunded (−). Lines are never changed.

    A refund has the day of its charge, so the usage of a day or month is the sum of its lines. Job ids are plain
    values, so lines remain when jobs are deleted. Database triggers reject changes and deletions of a line (migration
    0008). Only when a team is erased, `jobs.quota.erasure` can delete the team's lines.
    """

    class Kind(models.TextChoices):
        CHARGE = "charge", _("Charge")
        REFUND = "refund", _("Refund")

    team = models.ForeignKey("Team", verbose_name=_("team"), on_delete=models.CASCADE, related_name="usage_entries")
    day = models.DateField(_("day"), help_text=_("The day that is charged, in the site's time zone."))
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    pictures = models.IntegerField(_("pictures"), help_text=_("+ charged, − refunded."))
    units = models.IntegerField(
        _("units"), default=0, db_default=0, help_text=_("What these pictures count of a quota, by their quality.")
    )
    quality = models.CharField(_("quality"), max_length=4, default="fast", db_default="fast")
    dialect = models.CharField(_("dialect"), max_length=12)
    job_id = models.UUIDField(_("job"))
    reason = models.CharField(
        _("reason"), max_length=40, help_text=_("`submitted`, `retried`, `canceled` or the error's code.")
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("usage entry")
        verbose_name_plural = _("usage entries")
        ordering = ["-id"]
        indexes = [
            # Supports the chart of pictures per day by dialect, and a team's sums.
            models.Index(fields=["day", "dialect", "pictures"], name="usage_by_day"),
            models.Index(fields=["team", "day", "pictures"], name="usage_by_team"),
            models.Index(fields=["job_id"], name="usage_by_job"),
        ]

    def __str__(self) -> str:
        return f"{self.pictures:+d} on {self.day}"


class UsagePeriod(models.Model):
    """The total usage of one team in a day or month. One conditional update of this row charges pictures.

    pictures: the sum of the quota units in the ledger. A picture of high quality may cost several units.
    """

    class Kind(models.TextChoices):
        DAY = "day"
        MONTH = "month"

    team = models.ForeignKey("Team", on_delete=models.CASCADE, related_name="usage_periods")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    starts_on = models.DateField()
    pictures = models.IntegerField(default=0)
    alerted_percent = models.PositiveSmallIntegerField(default=0, help_text="The highest alert sent so far.")

    class Meta:
        ordering = ["-starts_on", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["team", "kind", "starts_on"], name="one_sum_a_period"),
        ]

    def __str__(self) -> str:
        return f"{self.pictures} pictures in the {self.kind} of {self.starts_on}"


class UsageErasure(models.Model):
    """The permission to delete a team's ledger lines. Database triggers allow this while a row for the team exists.

    Only `usage_erase` creates the row. The permission is a separate table and not a column of the team, because SQLite
    cannot rebuild a table that the trigger of another table reads.
    """

    team_id = models.UUIDField(primary_key=True)

    def __str__(self) -> str:
        return str(self.team_id)
