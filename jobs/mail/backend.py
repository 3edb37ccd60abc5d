"""The mail backend of the site: it writes messages to the outbox and never talks to the mail server."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from jobs.mail.outbox import mail_queue


class Outbox(BaseEmailBackend):
    """Store messages with the current transaction; a mail server that hangs delays no request."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        messages = [message for message in email_messages if message.recipients()]
        for message in messages:
            mail_queue(message=message)
        return len(messages)
