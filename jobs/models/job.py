"""Jobs and their pictures, and the changes of their states."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.models.dialects import OwnDialect, dialect_choices
from jobs.models.lease import Leased
from jobs.telemetry.transitions import job_moved, picture_moved
from segmentation.options import CutoutOptions


class Status(models.TextChoices):
    """The states of jobs and pictures.

    ::

        queued ──claim──▶ running ──▶ succeeded
           │                 ├──────▶ failed       (error_code + public error_message)
           └──▶ canceled ◀───┘ (best effort)

    When the lease of a running picture expires, the picture is queued again. After too many lost workers it fails with
    the error code `worker_lost`.
    """

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Cancelled")


TERMINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELED)
# Pictures without an uncertainty come last. An index has this expression.
UNCERTAIN_FIRST = Coalesce(F("uncertainty"), Value(-1.0)).desc()
_Status = Status  # for annotations in classes that have an attribute named Status


class Job(models.Model):
    """One submission of pictures, with its options and its result.

    The row also records the user or API key that submitted the job, and the API (dialect) that received it.
    """

    Status = Status
    Dialect = OwnDialect
    TERMINAL = TERMINAL
    IDEMPOTENCY_KEY_LIFE = dt.timedelta(hours=24)

    class Urgency(models.TextChoices):
        INTERACTIVE = "interactive", _("Interactive")  # a person waits
        DEFAULT = "default", _("Default")
        BATCH = "batch", _("Batch")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("Team", verbose_name=_("team"), on_delete=models.CASCADE, related_name="jobs")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
    )
    api_key = models.ForeignKey("ApiKey", null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs")
    dialect = models.CharField(_("dialect"), max_length=12, choices=dialect_choices)
    urgency = models.CharField(_("queue"), max_length=12, choices=Urgency.choices, default=Urgency.DEFAULT)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.QUEUED)

    options = models.JSONField(help_text="CutoutOptions as JSON.")
    limits = models.JSONField(default=dict, help_text="segmentation.image.Limits of its route, as JSON.")
    recipes = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        help_text="Recipes that finish its pictures: name, version and body.",
    )
    wire = models.JSONField(default=dict, blank=True, help_text="What the dialect needs to render its answer.")
    external_id = models.CharField(max_length=64, blank=True, help_text="The dialect's own id, where it has one.")
    output_folder = models.CharField(
        max_length=255, blank=True, help_text="Fixed folder of the results, where the API names one."
    )
    export_directory = models.CharField(max_length=1024, blank=True, help_text="A server folder that gets a copy.")
    callback_url = models.CharField(max_length=2048, blank=True)
    bundle_key = models.CharField(max_length=255, blank=True, help_text="The zip of all results, where requested.")

    request_id = models.CharField(max_length=64, blank=True)
    client_address = models.GenericIPAddressField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=255, blank=True)
    request_hash = models.CharField(max_length=64, blank=True)
    repeat_key = models.CharField(
        max_length=64,
        blank=True,
        db_default="",
        help_text="A hash of the request until its answer is delivered (jobs.work.repeats).",
    )

    corrects = models.ForeignKey(
        "JobImage",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="corrections",
        help_text="The picture that this job runs the model on again; empty for a job of its own.",
    )
    repeats = models.PositiveIntegerField(default=0, db_default=0, help_text="How many repeated requests got this job.")

    images_total = models.PositiveIntegerField(_("pictures"), default=0)
    images_succeeded = models.PositiveIntegerField(default=0)
    images_failed = models.PositiveIntegerField(default=0)
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error_message = models.CharField(max_length=500, blank=True)

    created_at = models.DateTimeField(_("submitted"), default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
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
            models.UniqueConstraint(
                fields=["repeat_key"], condition=~models.Q(repeat_key=""), name="one_job_for_a_repeated_request"
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
        """Change the status from queued to running. Return False if the job is already running or has ended."""
        rows = Job.objects.filter(pk=self.pk, status=Status.QUEUED)
        started = rows.update(status=Status.RUNNING, started_at=timezone.now()) == 1
        if started:
            job_moved(job=self.pk, state=Status.RUNNING)
        return started

    def finish(self, status: str, *, code: str = "", message: str = "") -> bool:
        """Change the status to a final one. Return False if the job has already ended.

        status: `succeeded`, `failed` or `canceled`.
        code, message: the public error of a failed job.
        """
        rows = Job.objects.filter(pk=self.pk).exclude(status__in=TERMINAL)
        values = {"finished_at": timezone.now(), "error_code": code, "error_message": message[:500]}
        ended = rows.update(status=status, **values) == 1
        if ended:
            job_moved(job=self.pk, state=status, error_code=code)
        return ended


class JobImage(Leased):
    """One picture of a job: its state, its result, and the lease of the worker that processes it."""

    Status = Status
    TERMINAL = TERMINAL
    WAITING = {"status": Status.QUEUED}
    LEASED = {"status": Status.RUNNING}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, verbose_name=_("job"), on_delete=models.CASCADE, related_name="images")
    position = models.PositiveIntegerField(_("position"), default=0)
    name = models.CharField(
        _("name"), max_length=255, blank=True, help_text=_("The file's name as sent by the caller.")
    )
    output_name = models.CharField(max_length=120, blank=True, help_text="Stem of the result's name, where fixed.")
    source_url = models.CharField(
        _("source URL"), max_length=2048, blank=True, help_text=_("Fetched by the worker, when not uploaded.")
    )
    source_path = models.CharField(
        max_length=1024, blank=True, help_text="A file under an allowed input root, read by the worker."
    )
    settings = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="Options of this picture that differ from its job's."
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.QUEUED)
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error_message = models.CharField(_("error message"), max_length=500, blank=True)

    enqueued_at = models.DateTimeField(_("queued"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    faults = models.PositiveSmallIntegerField(
        _("faults"), default=0, db_default=0, help_text=_("How many attempts met a fault of a machine.")
    )
    fault = models.CharField(
        _("last fault"), max_length=500, blank=True, db_default="", help_text=_("The last of these faults.")
    )
    dropped_at = models.DateTimeField(null=True, blank=True, help_text="When the staff took it off the failures.")

    charged_on = models.DateField(null=True, blank=True, help_text="The day it is charged to; empty: not charged.")
    charged_units = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="What it counts of a quota, by its tier."
    )
    is_held = models.BooleanField(default=False, help_text="Waits until its team may queue or run another picture.")

    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    foreground = models.JSONField(null=True, blank=True, help_text="[left, top, right, bottom] of the subject.")
    subject = models.CharField(max_length=10, blank=True, help_text="What was found: person, object, stamp.")
    instances = models.JSONField(default=list, blank=True)
    uncertainty = models.FloatField(null=True, blank=True, help_text="0..1, see segmentation.pipeline.uncertainty_of.")
    notes = models.JSONField(default=list, blank=True)
    timings_ms = models.JSONField(_("time by stage, ms"), default=dict, blank=True)
    model_version = models.CharField(max_length=80, blank=True)
    tier = models.CharField(
        max_length=5, blank=True, default="", db_default="", help_text="Tier of the model that answered."
    )
    model_reason = models.CharField(
        max_length=16, blank=True, default="", db_default="", help_text="Why this model answered."
    )
    is_corrected = models.BooleanField(
        default=False, db_default=False, help_text="Whether a brush, a box or a click changed the result."
    )
    runs_again = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How often the model ran again on it, deleted versions included."
    )
    shown_version = models.ForeignKey(
        "Version",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The version that stands for it in lists and zips; empty: the first result.",
    )
    edit = models.JSONField(null=True, blank=True, help_text="What its editor shows when the page is opened again.")

    class Meta:
        ordering = ["job", "position"]
        indexes = [
            models.Index(fields=["status", "leased_until"], name="image_by_lease"),
            models.Index(fields=["status", "enqueued_at"], name="image_by_queue"),
            models.Index(fields=["job"], condition=models.Q(is_held=True), name="image_held"),
            models.Index(UNCERTAIN_FIRST, name="image_uncertain_first"),
        ]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="one_image_a_position")]

    def __str__(self) -> str:
        return self.name or str(self.id)

    @property
    def cutout_options(self) -> CutoutOptions:
        """The options of this picture: the options of the job, changed by the picture's own settings."""
        return CutoutOptions.from_json(self.job.options | self.settings)

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    def claim(self, *, lease_s: float, worker: str = "", **values: Any) -> bool:
        """Change the status from queued to running, with a lease. Return False if the picture is not queued or not due.

        lease_s: the duration of the lease in seconds.
        worker: the name of the worker.
        values: other columns to set.
        """
        claimed = super().claim(lease_s=lease_s, worker=worker, started_at=timezone.now(), is_held=False, **values)
        if claimed:
            picture_moved(picture=self.pk, job=self.job_id, state=Status.RUNNING)
        return claimed

    def release(self, *, delay_s: float = 0.0, **values: Any) -> bool:
        """Change the status from running to queued. Return False if this attempt has lost its lease.

        delay_s: the number of seconds before the next attempt may start.
        values: other columns to set.
        """
        return super().release(delay_s=delay_s, enqueued_at=timezone.now(), **values)

    def postpone(self, *, delay_s: float, fault: str) -> bool:
        """Queue the picture again after a fault of the machine (disk, memory, database).

        The interrupted attempt does not count as a failed attempt. Return False if this attempt has lost its lease.

        delay_s: the number of seconds before the next attempt may start.
        fault: a text that describes the fault.
        """
        return self.release(
            delay_s=delay_s, attempts_before=F("attempts_before") + 1, faults=F("faults") + 1, fault=fault
        )

    def hand_over(self, *, timings_ms: dict[str, float], is_held: bool = False) -> bool:
        """Queue the picture for its next stage, after its download. The attempts of the next stage are counted from 0.

        Return False and write nothing if this attempt has lost its lease.

        timings_ms: the duration of each stage so far in milliseconds, by the name of the stage. It is stored.
        is_held: whether the picture must wait until its team may run another picture.
        """
        return self.release(attempts_before=F("attempt"), timings_ms=timings_ms, is_held=is_held)

    def finish(self, status: str, **values: Any) -> bool:
        """Change the status from running to a final one. Return False and write nothing if the lease is lost.

        status: `succeeded`, `failed` or `canceled`.
        values: other columns to set, such as the result or the error.
        """
        ended = self.end(status=status, finished_at=timezone.now(), **values)
        if ended:
            self.refresh_from_db()
            picture_moved(picture=self.pk, job=self.job_id, state=status, error_code=self.error_code)
        return ended

    def hold(self) -> None:
        """Mark a queued picture as held: it stays out of the queue until its team may run another picture."""
        JobImage.objects.filter(pk=self.pk, status=Status.QUEUED).update(is_held=True)

    def cancel(self, *, only_queued: bool = False) -> bool:
        """Cancel a picture that has not ended. Return False if nothing changed.

        only_queued: whether to cancel the picture only if no worker has started it.
        """
        rows = JobImage.objects.filter(pk=self.pk)
        rows = rows.filter(status=Status.QUEUED) if only_queued else rows.exclude(status__in=TERMINAL)
        ended = rows.update(status=Status.CANCELED, finished_at=timezone.now(), leased_until=None, is_held=False) == 1
        if ended:
            picture_moved(picture=self.pk, job=self.job_id, state=Status.CANCELED)
        return ended


class FailedPicture(JobImage):
    """A failed picture. This proxy model exists so that the admin has a separate list of failed pictures."""

    class Meta:
        verbose_name = _("failed picture")
        verbose_name_plural = _("failed pictures")
        proxy = True
