"""Tests that messages are signed as the standard defines, so that a library of the receiver can verify them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from standardwebhooks import Webhook as Receiver
from standardwebhooks import WebhookVerificationError

from jobs.models import Webhook, WebhookDelivery
from jobs.webhooks import endpoints, signing
from tests.cast import Person
from tests.jobs.site import Site
from tests.webhooks.clock import Clock
from tests.webhooks.messages import attempt, make_delivery


def test_a_known_message_gets_the_known_signature() -> None:
    headers = signing.signed_headers(
        signing_secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_s=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


def test_a_secret_carries_the_standards_mark_and_enough_chance() -> None:
    first, second = signing.new_secret(), signing.new_secret()
    assert first.startswith("whsec_")
    assert first != second
    assert len(first) == len("whsec_") + 44


def test_a_receivers_own_library_verifies_a_delivered_message(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    assert attempt(delivery).status == "succeeded"
    _, _, headers, body = site.requests[0]
    assert Receiver(delivery.webhook.secret).verify(body, headers) == {"type": "job.succeeded"}
    assert headers["webhook-id"] == delivery.message_id
    assert headers["Content-Type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Receiver(delivery.webhook.secret).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Receiver(signing.new_secret()).verify(body, headers)


def test_while_a_secret_is_changed_both_verify_and_a_day_later_only_the_new_one(
    alice: Person, receiver: Callable[..., Site], clock: Clock
) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    old = delivery.webhook.secret
    new = endpoints.webhook_rotate(actor=alice.actor, webhook=delivery.webhook).secret
    attempt(delivery)
    _, _, headers, body = site.requests[0]
    assert Receiver(old).verify(body, headers) == Receiver(new).verify(body, headers)
    clock.advance(24 * 3600 + 1)
    assert Webhook.objects.get(pk=delivery.webhook_id).signing_secrets() == [new]


def test_text_in_any_script_is_signed_as_it_is_sent(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver()
    delivery = make_delivery(alice, site.url("/hook"))
    WebhookDelivery.objects.update(payload={"name": "图片 ✂"})
    attempt(delivery)
    _, _, headers, body = site.requests[0]
    assert Receiver(delivery.webhook.secret).verify(body, headers) == {"name": "图片 ✂"}
