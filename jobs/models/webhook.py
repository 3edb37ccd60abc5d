"""Webhooks of teams, and their deliveries."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Webhook(models.Model):
    """Store one URL of a team that receives events, with the secret that signs them.

    Secrets are stored in plain text, because signing needs the secret itself. A team's one row of kind `callbacks` has
    no URL: its secret signs the callbacks to the URLs that jobs name.
    """

    class Kind(models.TextChoices):
        ENDPOINT = "endpoint"
        CALLBACKS = "callbacks"

    class Event(models.TextChoices):
        JOB_SUCCEEDED = "job.succeeded", _("Job Succeeded")
        JOB_FAILED = "job.failed", _("Job Failed")
        JOB_CANCELED = "job.canceled", _("Job Canceled")
        IMAGE_UNCERTAIN = "image.uncertain", _("Image Uncertain")
        QUOTA_WARNING = "quota.warning", _("Quota Warning")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("Team", on_delete=models.CASCADE, related_name="webhooks")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.ENDPOINT)
    url = models.CharField(max_length=2048, blank=True)
    events = models.JSONField(default=list, help_text="Which events are sent.")
    secret = models.CharField(max_length=100)
    previous_secret = models.CharField(max_length=100, blank=True)
    previous_secret_until = models.DateTimeField(null=True, blank=True, help_text="Until then both secrets sign.")
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(kind="callbacks"), name="one_callback_secret_a_team"
            )
        ]

    def __str__(self) -> str:
        return self.url or f"callbacks of {self.team}"

    def signing_secrets(self) -> list[str]:
        """Return the secrets that sign at present, the newest first."""
        until = self.previous_secret_until
        if self.previous_secret and until is not None and until > timezone.now():
            return [self.secret, self.previous_secret]
        return [self.secret]


class WebhookDelivery(models.Model):
    """Store one message to one URL: its payload, its tries and the last response."""

    class Status(models.TextChoices):
        """List the states of a delivery.

        ::

            waiting ──claim──▶ sending ──▶ succeeded
               ▲                  ├──────▶ failed     (refused, gone, disabled, or out of tries)
               └───postpone───────┘        a dead worker's claim expires at next_try_at and counts as a try
        """

        WAITING = "waiting", _("Waiting")
        SENDING = "sending", _("Sending")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")

    TERMINAL = (Status.SUCCEEDED, Status.FAILED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    job = models.ForeignKey("Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="deliveries")
    message_id = models.CharField(max_length=64, help_text="The webhook-id header; the same for every try and replay.")
    event = models.CharField(max_length=40, choices=Webhook.Event.choices)
    url = models.CharField(max_length=2048)
    payload = models.JSONField(null=True, blank=True, help_text="Empty until the first try when a dialect renders it.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="Number of tries.")
    next_try_at = models.DateTimeField(null=True, blank=True)
    enqueued_at = models.DateTimeField(null=True, blank=True, help_text="When the next try was queued.")
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_prefix = models.TextField(blank=True)
    elapsed_ms = models.PositiveIntegerField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    tried_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(fields=["status", "next_try_at"], name="delivery_by_next_try"),
            models.Index(fields=["webhook", "-created_at"], name="delivery_by_webhook"),
            models.Index(fields=["created_at"], name="delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.url}"

    @property
    def is_terminal(self) -> bool:
        return self.status in self.TERMINAL

    def claim(self, *, lease_s: float) -> bool:
        """Claim a due delivery for one try; return False when it is not due, has ended, or is claimed."""
        now = timezone.now()
        due = WebhookDelivery.objects.filter(pk=self.pk, next_try_at__lte=now).exclude(status__in=self.TERMINAL)
        claimed = due.update(
            status=self.Status.SENDING,
            attempt=F("attempt") + 1,
            tried_at=now,
            next_try_at=now + dt.timedelta(seconds=lease_s),
            enqueued_at=None,
        )
        if claimed == 1:
            self.refresh_from_db()
        return claimed == 1

    def write(self, payload: dict[str, object]) -> bool:
        """Store the payload for this and later tries; return False when this claim was lost."""
        self.payload = payload
        return self._mine().update(payload=payload) == 1

    def postpone(self, *, delay_s: float, **values: object) -> bool:
        """Schedule the next try; return False when this claim was lost."""
        then = timezone.now() + dt.timedelta(seconds=delay_s)
        return self._mine().update(status=self.Status.WAITING, next_try_at=then, **values) == 1

    def finish(self, status: Status, **values: object) -> bool:
        """End the delivery; return False when this claim was lost."""
        return self._mine().update(status=status, next_try_at=None, finished_at=timezone.now(), **values) == 1

    def _mine(self) -> models.QuerySet[WebhookDelivery]:
        return WebhookDelivery.objects.filter(pk=self.pk, status=self.Status.SENDING, attempt=self.attempt)
