"""Webhooks of teams, and the messages that are sent to webhooks and callback URLs."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.models.encrypted import EncryptedCharField
from jobs.models.lease import Leased


class Webhook(models.Model):
    """A URL to which a team's events are sent, with the secret that signs the messages.

    The secret is encrypted with the site's key and not hashed, because signing needs the secret itself. A team has at
    most one row of the kind `callbacks`. This row has no URL; its secret signs the callbacks that jobs request.
    """

    class Kind(models.TextChoices):
        ENDPOINT = "endpoint", _("Endpoint")
        CALLBACKS = "callbacks", _("Callbacks")

    class Event(models.TextChoices):
        JOB_SUCCEEDED = "job.succeeded", _("Job Succeeded")
        JOB_FAILED = "job.failed", _("Job Failed")
        JOB_CANCELED = "job.canceled", _("Job Canceled")
        IMAGE_UNCERTAIN = "image.uncertain", _("Image Uncertain")
        QUOTA_WARNING = "quota.warning", _("Quota Warning")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("Team", verbose_name=_("team"), on_delete=models.CASCADE, related_name="webhooks")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.ENDPOINT)
    url = models.CharField(_("URL"), max_length=2048, blank=True)
    events = models.JSONField(_("events"), default=list, help_text=_("Which events are sent."))
    secret = EncryptedCharField(max_length=400)
    previous_secret = EncryptedCharField(max_length=400, blank=True)
    previous_secret_until = models.DateTimeField(null=True, blank=True, help_text="Until then both secrets sign.")
    is_enabled = models.BooleanField(_("enabled"), default=True)
    disabled_reason = models.CharField(_("why it is disabled"), max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(kind="callbacks"), name="one_callback_secret_a_team"
            )
        ]

    def __str__(self) -> str:
        return self.url or f"callbacks of {self.team}"

    def signing_secrets(self) -> list[str]:
        """Return the valid signing secrets, newest first. Raise ValueError if the secret cannot be decrypted.

        After a change of the secret, the previous secret stays valid until `previous_secret_until`.
        """
        if not self.secret:
            raise ValueError(f"the secret of webhook {self.pk} cannot be read with the site's key")
        until = self.previous_secret_until
        if self.previous_secret and until is not None and until > timezone.now():
            return [self.secret, self.previous_secret]
        return [self.secret]


class WebhookDelivery(Leased):
    """One message to one URL, with its payload, the number of attempts and the last response."""

    class Status(models.TextChoices):
        """The states of a delivery.

        ::

            waiting ──claim──▶ sending ──▶ succeeded
               ▲                  ├──────▶ failed
               └────release───────┘

        A delivery fails if the URL is not permitted, if the server responds with 410 Gone, if the webhook is disabled,
        if the job is deleted, or after the last attempt.
        """

        WAITING = "waiting", _("Waiting")
        SENDING = "sending", _("Sending")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")

    TERMINAL = (Status.SUCCEEDED, Status.FAILED)
    WAITING = {"status": Status.WAITING}
    LEASED = {"status": Status.SENDING}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, verbose_name=_("webhook"), on_delete=models.CASCADE, related_name="deliveries")
    job = models.ForeignKey(
        "Job", verbose_name=_("job"), null=True, blank=True, on_delete=models.SET_NULL, related_name="deliveries"
    )
    message_id = models.CharField(
        _("message id"), max_length=64, help_text=_("The webhook-id header; the same for every try and replay.")
    )
    event = models.CharField(_("event"), max_length=40, choices=Webhook.Event.choices)
    url = models.CharField(_("URL"), max_length=2048)
    payload = models.JSONField(
        _("message"), null=True, blank=True, help_text=_("Empty until the first try when a dialect renders it.")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    response_status = models.PositiveSmallIntegerField(_("response"), null=True, blank=True)
    response_prefix = models.TextField(_("beginning of the response"), blank=True)
    elapsed_ms = models.PositiveIntegerField(_("duration, ms"), null=True, blank=True)
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error_message = models.CharField(_("error message"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    tried_at = models.DateTimeField(_("last try"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-created_at"]
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

    def claim(self, *, lease_s: float, worker: str = "", **values: Any) -> bool:
        """Claim the delivery for one attempt. Return False if it is not due, has ended, or is already claimed.

        The parameters are those of `Leased.claim`.
        """
        return super().claim(lease_s=lease_s, worker=worker, tried_at=timezone.now(), **values)

    def write(self, payload: dict[str, Any]) -> bool:
        """Store the message's payload, so that later attempts send the same text. Return False if the lease is lost."""
        self.payload = payload
        return self.held().update(payload=payload) == 1

    def finish(self, status: Status, **values: Any) -> bool:
        """End the delivery with a final status. Return False if this attempt has lost its lease.

        values: other columns to set, such as the response or the error.
        """
        return self.end(status=status, next_try_at=None, finished_at=timezone.now(), **values)
