"""The outbox of e-mail. Messages are stored, a worker sends them, and a failed message is sent again later."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db.models import QuerySet

from jobs.commit import after_commit
from jobs.models import QueuedMail
from jobs.work import queue
from jobs.work.leases import LeasedWork, sweep
from jobs.work.registry import Task, runs

logger = logging.getLogger(__name__)

MAIL_SEND = Task("mail_send", timeout_s=60)
RETRY_DELAYS_S = (30, 300, 1800, 7200, 18_000, 43_200)
_LEASE_S = 90.0


def mail_queue(*, message: EmailMessage) -> QueuedMail:
    """Store a message, and queue its sending after the commit. Return the row of the message.

    Raise ValueError for a message with attachments, because the outbox does not support attachments.
    """
    if message.attachments:
        raise ValueError("mail with attachments cannot be queued")
    alternatives = getattr(message, "alternatives", [])
    mail = QueuedMail.objects.create(
        subject=str(message.subject),
        body=str(message.body),
        sender=message.from_email,
        recipients={"to": list(message.to), "cc": list(message.cc), "bcc": list(message.bcc)},
        reply_to=list(message.reply_to),
        headers={name: str(value) for name, value in message.extra_headers.items()},
        alternatives=[[str(content), str(kind)] for content, kind in alternatives],
    )
    after_commit(_enqueue, mail)
    return mail


@runs(MAIL_SEND)
def mail_send(mail_id: str) -> None:
    """Send the message with this id and delete its row. Do nothing if the message is not waiting or not due.

    If sending fails, the message is sent again later. After the last attempt the message is deleted and an error is
    logged.
    """
    mail = QueuedMail.claimable().filter(pk=mail_id).first()
    if mail is None or not mail.claim(lease_s=_LEASE_S):
        return
    try:
        with get_connection(settings.MAIL_DELIVERY_BACKEND) as connection:
            connection.send_messages([_message(mail)])
    except Exception as error:
        _retry(mail, error)
    else:
        mail.held().delete()


def mails_resend(*, limit: int = 100) -> int:
    """Queue at most `limit` messages whose retry is due or whose queue entry was lost. Return their number.

    The regular maintenance (`jobs.running.upkeep`) calls this function.
    """
    return sweep(_Mails(), limit=limit)


class _Mails(LeasedWork[QueuedMail]):
    max_strikes = len(RETRY_DELAYS_S) + 1

    def rows(self) -> QuerySet[QueuedMail]:
        return QueuedMail.objects.order_by("created_at")

    def due(self) -> QuerySet[QueuedMail]:
        return QueuedMail.claimable().order_by("created_at")

    def sent_ids(self) -> set[str]:
        return queue.waiting_ids(queue.MAIL_QUEUES)

    def send(self, rows: Sequence[QueuedMail]) -> int:
        for mail in rows:
            _enqueue(mail)
        return len(rows)

    def give_up(self, row: QueuedMail) -> bool:
        logger.error("mail %s is given up: its workers were lost", row.pk)
        return row.held().delete()[0] == 1


def _enqueue(mail: QueuedMail) -> None:
    queue.enqueue_task(MAIL_SEND, str(mail.pk), queue_name="mail", row_id=mail.pk)


def _retry(mail: QueuedMail, error: Exception) -> None:
    """Schedule the next attempt to send a message, or delete the message if no attempt remains.

    Only the class of the error is logged, because the error text of a mail server may contain e-mail addresses.
    """
    if mail.strikes > len(RETRY_DELAYS_S):
        logger.error("mail %s is given up after %s tries: %s", mail.pk, mail.strikes, type(error).__name__)
        mail.held().delete()
        return
    delay_s = RETRY_DELAYS_S[mail.strikes - 1]
    logger.warning("mail %s was not sent (%s); next try in %s s", mail.pk, type(error).__name__, delay_s)
    mail.release(delay_s=delay_s)


def _message(mail: QueuedMail) -> EmailMultiAlternatives:
    values: dict[str, Any] = {name: mail.recipients.get(name, []) for name in ("to", "cc", "bcc")}
    headers = {"Date": mail.created_at.astimezone(dt.UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")} | mail.headers
    message = EmailMultiAlternatives(
        mail.subject, mail.body, mail.sender, reply_to=mail.reply_to, headers=headers, **values
    )
    for content, kind in mail.alternatives:
        message.attach_alternative(content, kind)
    return message
