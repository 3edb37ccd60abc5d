"""Jobs (one submission each) and their pictures, with the transitions of both."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone

from jobs.models.dialects import OwnDialect, dialect_choices
from segmentation.options import CutoutOptions


class Status(models.TextChoices):
    """List the states of jobs and pictures.

    ::

        queued ──claim──▶ running ──▶ succeeded
           │                 ├──────▶ failed       (error_code + public error_message)
           └──▶ canceled ◀───┘ (best effort)       expired lease: queued again, at last failed `worker_lost`
    """

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


TERMINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELED)
_Status = Status  # for annotations inside classes whose attribute is called Status


class Job(models.Model):
    """Store one submission: who sent it, through which API, its options and its outcome."""

    Status = Status
    Dialect = OwnDialect
    TERMINAL = TERMINAL
    IDEMPOTENCY_KEY_LIFE = dt.timedelta(hours=24)

    class Urgency(models.TextChoices):
        INTERACTIVE = "interactive"  # a client waits for the answer
        DEFAULT = "default"
        BATCH = "batch"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("Team", on_delete=models.CASCADE, related_name="jobs")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs"
    )
    api_key = models.ForeignKey("ApiKey", null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs")
    dialect = models.CharField(max_length=12, choices=dialect_choices)
    urgency = models.CharField(max_length=12, choices=Urgency.choices, default=Urgency.DEFAULT)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)

    options = models.JSONField(help_text="CutoutOptions as JSON.")
    limits = models.JSONField(default=dict, help_text="segmentation.image.Limits of its route, as JSON.")
    wire = models.JSONField(default=dict, blank=True, help_text="What the dialect needs to render its answer.")
    external_id = models.CharField(max_length=64, blank=True, help_text="The dialect's own id, where it has one.")
    output_folder = models.CharField(
        max_length=255, blank=True, help_text="Fixed folder of the results, where the API names one."
    )
    export_directory = models.CharField(max_length=1024, blank=True, help_text="A server folder that gets a copy.")
    callback_url = models.CharField(max_length=2048, blank=True)
    bundle_key = models.CharField(max_length=255, blank=True, help_text="The zip of all results, where requested.")
    bundle_attempt = models.PositiveSmallIntegerField(default=0, help_text="Number of attempts to make the zip.")
    bundle_attempts_before = models.PositiveSmallIntegerField(
        default=0, help_text="Number of these attempts before the job's last retry."
    )
    bundle_leased_until = models.DateTimeField(
        null=True, blank=True, help_text="Set when the last picture ends; past: its worker has died."
    )

    request_id = models.CharField(max_length=64, blank=True)
    client_address = models.GenericIPAddressField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=255, blank=True)
    request_hash = models.CharField(max_length=64, blank=True)

    images_total = models.PositiveIntegerField(default=0)
    images_succeeded = models.PositiveIntegerField(default=0)
    images_failed = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.CharField(max_length=500, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["team", "-created_at"], name="job_by_team"),
            models.Index(fields=["status", "-created_at"], name="job_by_status"),
            models.Index(fields=["-created_at"], name="job_by_time"),
            models.Index(fields=["external_id"], name="job_by_external_id"),
            models.Index(fields=["expires_at"], name="job_by_expiry"),
            models.Index(fields=["user", "-created_at"], name="job_by_user"),
            models.Index(fields=["dialect", "-created_at"], name="job_by_dialect"),
            models.Index(fields=["error_code", "-created_at"], name="job_by_error"),
            models.Index(fields=["request_id"], name="job_by_request"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dialect", "external_id"], condition=~models.Q(external_id=""), name="one_external_id_a_dialect"
            ),
            models.UniqueConstraint(
                fields=["team", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="one_idempotency_key_a_team",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dialect} {self.id}"

    @property
    def cutout_options(self) -> CutoutOptions:
        return CutoutOptions.from_json(self.options)

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    def start(self) -> bool:
        """Move queued → running; return False when it already runs or has ended."""
        rows = Job.objects.filter(pk=self.pk, status=Status.QUEUED)
        return rows.update(status=Status.RUNNING, started_at=timezone.now()) == 1

    def finish(self, status: _Status, *, code: str = "", message: str = "") -> bool:
        """Move to a terminal state; return False when it has already ended."""
        rows = Job.objects.filter(pk=self.pk).exclude(status__in=TERMINAL)
        return rows.update(status=status, finished_at=timezone.now(), error_code=code, error_message=message[:500]) == 1

    @property
    def bundle_strikes(self) -> int:
        """Return the number of attempts to make the zip since submission or the last retry."""
        return self.bundle_attempt - self.bundle_attempts_before

    def claim_bundle(self, *, attempt: int, lease_s: float) -> bool:
        """Take the lease to make the zip; return False when this message is outdated or the job has ended."""
        rows = Job.objects.filter(pk=self.pk, bundle_attempt=attempt).exclude(status__in=TERMINAL)
        until = timezone.now() + dt.timedelta(seconds=lease_s)
        claimed = rows.update(bundle_attempt=F("bundle_attempt") + 1, bundle_leased_until=until) == 1
        if claimed:
            self.refresh_from_db()
        return claimed

    def renew_bundle(self, *, lease_s: float) -> bool:
        """Renew the lease on the zip; return False when it was lost or the job has ended."""
        rows = Job.objects.filter(pk=self.pk, bundle_attempt=self.bundle_attempt).exclude(status__in=TERMINAL)
        return rows.update(bundle_leased_until=timezone.now() + dt.timedelta(seconds=lease_s)) == 1


class JobImage(models.Model):
    """Store one picture of a job: its state, its lease and its result."""

    Status = Status
    TERMINAL = TERMINAL

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="images")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=255, blank=True, help_text="The file's name as sent by the caller.")
    output_name = models.CharField(max_length=120, blank=True, help_text="Stem of the result's name, where fixed.")
    source_url = models.CharField(max_length=2048, blank=True, help_text="Fetched by the worker, when not uploaded.")
    source_path = models.CharField(
        max_length=1024, blank=True, help_text="A file under an allowed input root, read by the worker."
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.CharField(max_length=500, blank=True)

    attempt = models.PositiveSmallIntegerField(default=0, help_text="Number of claims by workers.")
    attempts_before = models.PositiveSmallIntegerField(
        default=0, help_text="Number of these claims before the picture's last retry."
    )
    claimed_by = models.CharField(max_length=120, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    enqueued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    charged_on = models.DateField(null=True, blank=True, help_text="The day it is charged to; empty: not charged.")
    charged_units = models.PositiveSmallIntegerField(default=1, help_text="What it counts of a quota, by its tier.")
    is_held = models.BooleanField(default=False, help_text="Waits until its team may run another picture.")

    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    foreground = models.JSONField(null=True, blank=True, help_text="[left, top, right, bottom] of the subject.")
    subject = models.CharField(max_length=10, blank=True, help_text="What was found: person, object, stamp.")
    instances = models.JSONField(default=list, blank=True)
    uncertainty = models.FloatField(null=True, blank=True, help_text="0..1, see segmentation.pipeline.uncertainty_of.")
    notes = models.JSONField(default=list, blank=True)
    timings_ms = models.JSONField(default=dict, blank=True)
    model_version = models.CharField(max_length=80, blank=True)
    tier = models.CharField(max_length=5, blank=True, help_text="Tier of the model that answered.")
    model_reason = models.CharField(max_length=16, blank=True, help_text="Why this model answered.")
    is_corrected = models.BooleanField(default=False, help_text="Whether a brush, a box or a click changed the result.")

    class Meta:
        ordering = ["job", "position"]
        indexes = [
            models.Index(fields=["status", "leased_until"], name="image_by_lease"),
            models.Index(fields=["status", "enqueued_at"], name="image_by_queue"),
            models.Index(fields=["job"], condition=models.Q(is_held=True), name="image_held"),
        ]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="one_image_a_position")]

    def __str__(self) -> str:
        return self.name or str(self.id)

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def strikes(self) -> int:
        """Return the number of claims since submission or the last retry.

        `attempt` itself never decreases: it names the files of an attempt and identifies late workers.
        """
        return self.attempt - self.attempts_before

    def claim(self, *, worker: str, lease_s: float) -> bool:
        """Move queued → running under a lease; return False when it is no longer queued."""
        now = timezone.now()
        claimed = JobImage.objects.filter(pk=self.pk, status=Status.QUEUED).update(
            status=Status.RUNNING,
            claimed_by=worker,
            leased_until=now + dt.timedelta(seconds=lease_s),
            started_at=now,
            attempt=F("attempt") + 1,
            is_held=False,
        )
        if claimed == 1:
            self.refresh_from_db()
        return claimed == 1

    def renew(self, *, lease_s: float) -> bool:
        """Renew this attempt's lease; return False when it was lost or the picture was cancelled."""
        return self._mine().update(leased_until=timezone.now() + dt.timedelta(seconds=lease_s)) == 1

    def finish(self, status: _Status, **values: object) -> bool:
        """End this attempt; return False, and write nothing, when another attempt or a cancel came first."""
        now = timezone.now()
        ended = self._mine().update(status=status, finished_at=now, leased_until=None, **values) == 1
        if ended:
            self.refresh_from_db()
        return ended

    def requeue(self) -> bool:
        """Queue this attempt's picture again; return False when it is no longer running."""
        return self._mine().update(status=Status.QUEUED, leased_until=None, enqueued_at=timezone.now()) == 1

    def hand_over(self, *, timings_ms: dict[str, float]) -> bool:
        """Queue this attempt's picture for its next stage, without a strike; return False when it no longer runs."""
        values = {"attempts_before": F("attempt"), "timings_ms": timings_ms, "enqueued_at": timezone.now()}
        return self._mine().update(status=Status.QUEUED, leased_until=None, **values) == 1

    def hold(self) -> None:
        """Keep a queued picture out of the queue until its team may run another one."""
        JobImage.objects.filter(pk=self.pk, status=Status.QUEUED).update(is_held=True)

    def cancel(self, *, only_queued: bool = False) -> bool:
        """Move any unfinished picture, or only a queued one, to canceled; return whether it moved."""
        rows = JobImage.objects.filter(pk=self.pk)
        rows = rows.filter(status=Status.QUEUED) if only_queued else rows.exclude(status__in=TERMINAL)
        return rows.update(status=Status.CANCELED, finished_at=timezone.now(), leased_until=None, is_held=False) == 1

    def _mine(self) -> models.QuerySet[JobImage]:
        return JobImage.objects.filter(pk=self.pk, status=Status.RUNNING, attempt=self.attempt)
