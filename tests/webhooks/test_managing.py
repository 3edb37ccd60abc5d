"""Tests that create and change webhooks and send messages again: permissions, errors and audit entries."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.errors import PermissionDenied, UrlForbidden
from jobs.models import Action, AuditEntry, Webhook, WebhookDelivery
from jobs.teams.actor import Actor
from jobs.webhooks import endpoints, outbox
from segmentation.errors import InvalidParameter
from tests.cast import Person
from tests.jobs.site import Site, answer
from tests.webhooks.messages import PUBLIC_URL, attempt, make_delivery


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "http://localhost/", "ftp://receiver.example/", "https://a@b.example/"]
)
def test_a_webhook_to_a_forbidden_address_is_refused_at_once(url: str, alice: Person) -> None:
    with pytest.raises(UrlForbidden) as refusal:
        endpoints.webhook_create(actor=alice.actor, url=url)
    assert refusal.value.field == "url"
    webhook = endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    with pytest.raises(UrlForbidden):
        endpoints.webhook_update(actor=alice.actor, webhook=webhook, url=url)


@pytest.mark.parametrize("events", [[], ["job.started"], ["job.failed", "*"]])
def test_events_that_do_not_exist_are_refused(events: list[str], alice: Person) -> None:
    with pytest.raises(InvalidParameter):
        endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL, events=events)


def test_a_team_has_a_bounded_number_of_webhooks(alice: Person) -> None:
    for _ in range(endpoints.MAX_WEBHOOKS):
        endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    with pytest.raises(InvalidParameter):
        endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)


def test_a_plain_member_or_a_key_without_the_scope_manages_nothing(alice: Person, bob: Person) -> None:
    webhook = endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    delivery = outbox.delivery_enqueue(webhook=webhook, event="job.failed", payload={})
    alice.key.scopes = ["submit", "read"]
    for actor in (bob.actor, Actor(team=alice.team, key=alice.key)):
        for call in (
            lambda actor=actor: endpoints.webhook_create(actor=actor, url=PUBLIC_URL),
            lambda actor=actor: endpoints.webhook_update(actor=actor, webhook=webhook, is_enabled=False),
            lambda actor=actor: endpoints.webhook_rotate(actor=actor, webhook=webhook),
            lambda actor=actor: endpoints.webhook_delete(actor=actor, webhook=webhook),
            lambda actor=actor: outbox.delivery_replay(actor=actor, delivery=delivery),
        ):
            with pytest.raises(PermissionDenied):
                call()


def test_switching_a_webhook_on_again_forgets_why_it_was_off(alice: Person) -> None:
    webhook = endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    Webhook.objects.update(is_enabled=False, disabled_reason="The receiver answered 410 Gone.")
    webhook = endpoints.webhook_update(actor=alice.actor, webhook=webhook, is_enabled=True)
    assert (webhook.is_enabled, webhook.disabled_reason) == (True, "")


def test_a_replay_sends_the_same_message_as_a_new_row(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver()
    first = attempt(make_delivery(alice, site.url("/hook")))
    second = outbox.delivery_replay(actor=alice.actor, delivery=first)
    assert attempt(second).status == "succeeded"
    assert second.pk != first.pk
    assert [headers["webhook-id"] for _, _, headers, _ in site.requests] == [first.message_id] * 2
    assert site.requests[0][3] == site.requests[1][3]


def test_a_replay_goes_to_where_the_webhook_points_now(alice: Person) -> None:
    delivery = make_delivery(alice, PUBLIC_URL)
    endpoints.webhook_update(actor=alice.actor, webhook=delivery.webhook, url="https://moved.example/")
    delivery = WebhookDelivery.objects.get()
    assert outbox.delivery_replay(actor=None, delivery=delivery).url == "https://moved.example/"


def test_every_change_of_a_webhook_is_audited_without_its_secret(alice: Person, receiver: Callable[..., Site]) -> None:
    site = receiver(answer(b"", status=410))
    webhook = endpoints.webhook_create(actor=alice.actor, url=PUBLIC_URL)
    endpoints.webhook_update(actor=alice.actor, webhook=webhook, url=site.url("/hook"))
    secret = endpoints.webhook_rotate(actor=alice.actor, webhook=webhook).secret
    attempt(outbox.delivery_enqueue(webhook=webhook, event="job.failed", payload={}))
    endpoints.webhook_delete(actor=alice.actor, webhook=webhook)
    entries = list(AuditEntry.objects.filter(action=Action.WEBHOOK_CHANGED).order_by("number"))
    assert [entry.actor_name for entry in entries] == ["alice", "alice", "alice", "system", "alice"]
    assert entries[1].before["url"] == PUBLIC_URL
    assert entries[1].after["url"] == site.url("/hook")
    assert entries[3].after == {"is_enabled": False}
    assert (entries[4].object_id, entries[4].after) == (entries[0].object_id, None)
    assert all(secret not in str((entry.before, entry.after)) for entry in entries)
