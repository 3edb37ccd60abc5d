"""Tests of the mail outbox: requests store mails in the database, and a worker sends them.

A mail server that does not respond delays no request, and no mail is lost.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from jobs.mail import outbox
from jobs.models import QueuedMail
from jobs.work import queue, serving
from tests.cast import Person

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture(autouse=True)
def _mail_through_the_outbox(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "jobs.mail.backend.Outbox"
    settings.MAIL_DELIVERY_BACKEND = LOCMEM
    settings.EMAIL_IS_CONFIGURED = True


@pytest.fixture
def silent_server(settings: Settings) -> Iterator[socket.socket]:
    """Yield a mail server that accepts connections but does not respond."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        settings.MAIL_DELIVERY_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        settings.EMAIL_TIMEOUT = 0.05
        yield server


def test_a_request_never_talks_to_the_mail_server(alice: Person, silent_server: socket.socket) -> None:
    response = Client().post("/accounts/password/reset/", {"email": alice.user.email})

    assert response.status_code == 302
    assert QueuedMail.objects.get().recipients["to"] == [alice.user.email]
    silent_server.setblocking(False)
    with pytest.raises(BlockingIOError):
        silent_server.accept()


@pytest.mark.django_db
def test_a_mail_server_that_hangs_costs_the_worker_a_deadline_and_the_mail_is_kept(
    silent_server: socket.socket,
) -> None:
    queued = _queued()

    outbox.mail_send(str(queued.pk))

    queued.refresh_from_db()
    assert (queued.attempt, queued.leased_until) == (1, None)
    assert queued.next_try_at is not None
    assert queued.next_try_at > timezone.now()


@pytest.mark.django_db
def test_a_message_arrives_as_it_was_written_and_is_forgotten_then() -> None:
    message = mail.EmailMultiAlternatives(
        "Reset", "plain", "keyline@example.com", ["alice@example.com"], reply_to=["staff@example.com"]
    )
    message.attach_alternative("<p>HTML</p>", "text/html")
    message.send()

    outbox.mail_send(str(QueuedMail.objects.get().pk))

    [sent] = mail.outbox
    assert (sent.subject, sent.body, sent.to, sent.reply_to) == (
        "Reset",
        "plain",
        ["alice@example.com"],
        ["staff@example.com"],
    )
    assert [tuple(alternative) for alternative in sent.alternatives] == [("<p>HTML</p>", "text/html")]
    assert not QueuedMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_mail_process_sends_what_was_committed() -> None:
    with transaction.atomic():
        _queued()
        assert queue.depths()["mail"] == 0
    assert queue.depths()["mail"] == 1

    serving.serve(queue.QUEUES_OF_ROLE["mail"], name="mail-1", until_empty=True)

    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_a_mail_whose_message_was_lost_is_queued_again_by_the_sweep(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        queued = _queued()
    queue.connection().flushall()

    assert outbox.mails_resend() == 1
    assert queue.waiting_ids(queue.MAIL_QUEUES) == {str(queued.pk)}


@pytest.mark.django_db
def test_a_mail_that_is_refused_every_time_is_given_up(silent_server: socket.socket) -> None:
    queued = _queued()
    for _ in range(len(outbox.RETRY_DELAYS_S) + 1):
        QueuedMail.objects.update(next_try_at=None)
        outbox.mail_send(str(queued.pk))

    assert not QueuedMail.objects.exists()


def _queued() -> QueuedMail:
    message = mail.EmailMessage("Hello", "A text.", "keyline@example.com", ["alice@example.com"])
    return outbox.mail_queue(message=message)
