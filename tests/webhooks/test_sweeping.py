"""Tests of the regular clean-up task: it queues messages that are due or were lost, and deletes old log entries."""

from __future__ import annotations

from collections.abc import Callable

import django_rq
from pytest_django import Settings

from jobs.models import WebhookDelivery
from jobs.webhooks import outbox
from jobs.webhooks.delivery import deliveries_expire, deliveries_resend
from tests.cast import Person
from tests.jobs.site import Site, answer
from tests.webhooks.clock import Clock
from tests.webhooks.messages import PUBLIC_URL, attempt, make_delivery


def queued_ids() -> list[str]:
    return [message.kwargs["delivery_id"] for message in django_rq.get_queue("webhooks").jobs]


def test_the_sweeper_queues_a_retry_when_it_is_due_and_only_once(
    alice: Person, receiver: Callable[..., Site], clock: Clock
) -> None:
    delivery = attempt(make_delivery(alice, receiver(answer(b"", status=500)).url("/hook")))
    assert deliveries_resend() == 0
    clock.advance(5)
    assert deliveries_resend() == 1
    assert deliveries_resend() == 0
    assert queued_ids() == [str(delivery.pk)]


def test_a_message_that_the_queue_lost_is_sent_again(alice: Person) -> None:
    delivery = make_delivery(alice, PUBLIC_URL)
    outbox.delivery_send(delivery.pk)
    assert deliveries_resend() == 0
    django_rq.get_queue("webhooks").empty()
    assert deliveries_resend() == 1
    assert queued_ids() == [str(delivery.pk)]


def test_a_try_whose_worker_died_is_queued_again_when_its_lease_is_over(
    alice: Person, clock: Clock, settings: Settings
) -> None:
    delivery = make_delivery(alice, PUBLIC_URL)
    assert delivery.claim(lease_s=60)
    clock.advance(59)
    assert deliveries_resend() == 0
    clock.advance(2)
    assert deliveries_resend() == 1


def test_what_has_ended_is_never_queued_again_and_leaves_the_log_after_a_month(
    alice: Person, receiver: Callable[..., Site], clock: Clock
) -> None:
    attempt(make_delivery(alice, receiver().url("/hook")))
    waiting = make_delivery(alice, PUBLIC_URL)
    clock.advance(29 * 86400)
    assert deliveries_resend() == 1
    assert deliveries_expire() == 0
    clock.advance(2 * 86400)
    assert deliveries_expire() == 1
    assert list(WebhookDelivery.objects.all()) == [waiting]
