"""Tests that messages to slow receivers use a separate worker, so that other teams do not wait for them."""

from __future__ import annotations

from collections.abc import Callable

import django_rq
import pytest

from jobs.webhooks import delivery as sending
from jobs.webhooks.delivery import deliveries_resend
from jobs.work import queue, serving
from tests.cast import Person
from tests.jobs.site import Site, answer
from tests.webhooks.messages import attempt, make_delivery

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slow_alice(alice: Person, receiver: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a receiver of Alice's team that is registered as slow, although its next responses are fast."""
    site = receiver()
    with monkeypatch.context() as patience:
        patience.setattr(sending, "SLOW_AFTER_S", -1.0)
        assert attempt(make_delivery(alice, site.url("/hook"))).status == "succeeded"
    for name in queue.LIGHT_QUEUES:
        django_rq.get_queue(name).empty()
    return site


@pytest.mark.slow
def test_a_team_with_a_slow_receiver_is_served_by_the_patient_worker(slow_alice: Site, alice: Person) -> None:
    delivery = make_delivery(alice, slow_alice.url("/hook"))

    serving.serve(["webhooks"], name="quick", until_empty=True)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt) == ("waiting", 0)

    serving.serve(["slow-webhooks"], name="patient", until_empty=True)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt) == ("succeeded", 1)


def test_another_team_does_not_wait(slow_alice: Site, alice: Person, charlie: Person) -> None:
    for _ in range(3):
        make_delivery(alice, slow_alice.url("/hook"))
    delivery = make_delivery(charlie, slow_alice.url("/hook"))

    serving.serve(["webhooks"], name="quick", until_empty=True)

    delivery.refresh_from_db()
    assert delivery.status == "succeeded"
    assert len(slow_alice.requests) == 2
    assert django_rq.get_queue("slow-webhooks").count == 3


def test_a_receiver_that_fails_at_once_is_not_slow(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver(answer(b"", status=500))
    assert attempt(make_delivery(alice, site.url("/hook"))).status == "waiting"

    assert attempt(make_delivery(alice, site.url("/hook"))).attempt == 1


def test_the_message_of_the_sweeper_finds_the_patient_worker_too(slow_alice: Site, alice: Person) -> None:
    delivery = make_delivery(alice, slow_alice.url("/hook"))
    django_rq.get_queue("webhooks").empty()

    assert deliveries_resend() == 1
    serving.serve(["webhooks"], name="quick", until_empty=True)
    serving.serve(["slow-webhooks"], name="patient", until_empty=True)

    delivery.refresh_from_db()
    assert delivery.status == "succeeded"
