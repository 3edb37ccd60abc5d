"""Tests that a message is sent once when it is due, even if the queue delivers its task several times."""

from __future__ import annotations

from collections.abc import Callable

from jobs.models import WebhookDelivery
from jobs.webhooks.delivery import deliveries_resend
from tests.cast import Person
from tests.jobs.site import Site, answer
from tests.webhooks.clock import Clock
from tests.webhooks.messages import PUBLIC_URL, attempt, make_delivery


def test_a_message_delivered_twice_by_the_queue_is_sent_once(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    attempt(delivery)
    attempt(delivery)
    assert len(site.requests) == 1


def test_a_planned_retry_is_not_tried_before_its_time(
    alice: Person, receiver: Callable[..., Site], clock: Clock
) -> None:
    site = receiver(answer(b"", status=500))
    delivery = attempt(make_delivery(alice, site.url("/hook")))
    clock.advance(4.9)
    assert attempt(delivery).attempt == 1
    clock.advance(0.1)
    assert attempt(delivery).attempt == 2


def test_a_delivery_in_another_workers_hands_is_left_alone(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    assert WebhookDelivery.objects.get(pk=delivery.pk).claim(lease_s=60)
    assert attempt(delivery).status == "sending"
    assert site.requests == []


def test_a_lost_claim_writes_nothing(alice: Person, clock: Clock) -> None:
    delivery = make_delivery(alice, PUBLIC_URL)
    slow, quick = WebhookDelivery.objects.get(), WebhookDelivery.objects.get()
    assert slow.claim(lease_s=60)
    clock.advance(61)
    assert deliveries_resend() == 1
    assert quick.claim(lease_s=60)
    assert not slow.finish(WebhookDelivery.Status.FAILED, error_code="late")
    assert not slow.release(delay_s=5)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt, delivery.error_code) == ("sending", 2, "")


def test_a_delivery_whose_workers_all_died_is_given_up(
    alice: Person, receiver: Callable[..., Site], clock: Clock
) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    WebhookDelivery.objects.update(attempt=9)
    assert WebhookDelivery.objects.get().claim(lease_s=60)
    clock.advance(61)
    assert deliveries_resend() == 1
    assert (attempt(delivery).status, delivery.error_code) == ("failed", "given_up")
    assert site.requests == []
