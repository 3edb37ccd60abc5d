"""The mail backend of the site. It writes messages to the outbox and does not connect to a mail server."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from jobs.mail.outbox import mail_queue


class Outbox(BaseEmailBackend):
    """Mail backend that stores messages in the current transaction. So a slow mail server does not delay requests."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        messages = [message for message in email_messages if message.recipients()]
        for message in messages:
            mail_queue(message=message)
        return len(messages)
