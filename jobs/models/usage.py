"""Stage 3, state: the ledger of what teams used, and its running sums."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class UsageEntry(models.Model):
    """Hold one line of the append-only ledger: pictures charged (+) or refunded (−).

    A refund carries the day of the charge that it takes back, so that a day's and a month's use is the sum of their
    lines. Job ids are plain, because lines outlive jobs.
    """

    class Kind(models.TextChoices):
        CHARGE = "charge"
        REFUND = "refund"

    team = models.ForeignKey("Team", on_delete=models.CASCADE, related_name="usage_entries")
    day = models.DateField(help_text="The day that is charged, in the site's time zone.")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    pictures = models.IntegerField(help_text="+ charged, − refunded.")
    dialect = models.CharField(max_length=12)
    job_id = models.UUIDField()
    reason = models.CharField(max_length=40, help_text="`submitted`, `retried`, `canceled` or the error's code.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "usage entries"
        indexes = [
            # Covers the chart of pictures a day by dialect, and a team's sums.
            models.Index(fields=["day", "dialect", "pictures"], name="usage_by_day"),
            models.Index(fields=["team", "day", "pictures"], name="usage_by_team"),
            models.Index(fields=["job_id"], name="usage_by_job"),
        ]

    def __str__(self) -> str:
        return f"{self.pictures:+d} on {self.day}"


class UsagePeriod(models.Model):
    """Hold the ledger's running sum of one team's day or month, so that a charge is one conditional update."""

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
