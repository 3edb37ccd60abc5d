"""E-mail messages that wait until a worker sends them."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from .lease import Leased


class QueuedMail(Leased):
    """An e-mail message that has not been sent.

    The row is deleted after sending, because the message may contain a link to reset a password.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.TextField()
    body = models.TextField()
    sender = models.TextField()
    recipients = models.JSONField(help_text="Addresses by header: to, cc, bcc.")
    reply_to = models.JSONField(default=list)
    headers = models.JSONField(default=dict)
    alternatives = models.JSONField(default=list, help_text="Pairs of content and type, such as HTML.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"mail {self.pk}"
