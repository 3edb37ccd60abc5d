"""Tests of invalid forms, which the page shows again with their values, and of buttons that a user may not use."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils.html import escape

from jobs.models import ApiKey, Invitation, Membership, Team, Webhook, WebhookDelivery
from tests.cast import Person, make_person

pytestmark = pytest.mark.django_db


def test_a_refused_webhook_is_shown_again_as_it_was_typed(alice: Person):
    answer = alice.browser().post(
        reverse("site:webhooks"), {"do": "create", "url": "http://127.0.0.1/hook", "events": ["job.failed"]}
    )

    form = answer.context["form"]
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="http://127.0.0.1/hook"' in page
    assert form["events"].value() == ["job.failed"]
    assert escape(form.errors["url"][0]) in page
    assert not Webhook.objects.filter(kind="endpoint").exists()


def test_a_refused_key_is_shown_again_with_the_words_beside_its_field(alice: Person):
    typed = {"name": "Shop", "scopes": ["read"], "expires_at": "2001-01-01T10:00", "allowed_networks": "203.0.113.0/24"}
    answer = alice.browser().post(reverse("site:keys"), {"do": "create", **typed})

    form = answer.context["form"]
    assert answer.status_code == 422
    assert {name: form[name].value() for name in typed} == typed
    assert list(form.errors) == ["expires_at"]
    assert not ApiKey.objects.filter(name="Shop").exists()


def test_a_field_that_cannot_be_read_is_answered_the_same_way(alice: Person):
    typed = {"name": "Shop", "scopes": ["read"], "allowed_networks": "the shop"}
    answer = alice.browser().post(reverse("site:keys"), {"do": "create", **typed})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["allowed_networks"]


def test_a_teams_name_that_is_taken_is_shown_again(alice: Person, charlie: Person):
    answer = alice.browser().post(reverse("site:team"), {"do": "update", "name": charlie.team.name})

    form = answer.context["team_form"]
    assert answer.status_code == 422
    assert (form["name"].value(), list(form.errors)) == (charlie.team.name, ["name"])
    assert Team.objects.get(pk=alice.team.pk).name == "Studio"


def test_an_invitation_that_only_an_owner_may_make_is_shown_again_with_its_note(alice: Person):
    dora = make_person("dora", alice.team, Membership.Role.ADMIN)
    answer = dora.browser().post(reverse("site:team"), {"do": "invite", "note": "Emil", "role": "owner"})

    form = answer.context["invitation_form"]
    assert answer.status_code == 422
    assert form["note"].value() == "Emil"
    assert escape(form.non_field_errors()[0]) in answer.content.decode()
    assert not Invitation.objects.exists()


def test_who_has_no_form_on_the_page_is_told_above_it(bob: Person):
    answer = bob.browser().post(
        reverse("site:keys"), {"do": "create", "name": "Mine", "scopes": ["submit"]}, follow=True
    )

    assert answer.redirect_chain
    assert b"notice error" in answer.content


def test_a_plain_member_sees_no_button_that_is_a_managers(alice: Person, bob: Person):
    webhook = Webhook.objects.create(
        team=alice.team, url="https://shop.example/", events=["job.failed"], secret="whsec_"
    )
    WebhookDelivery.objects.create(webhook=webhook, event="job.failed", url=webhook.url, message_id="msg_1")

    for page, actions in (("site:keys", ("create", "revoke")), ("site:webhooks", ("create", "delivery", "rotate"))):
        hers = alice.browser().get(reverse(page)).content.decode()
        his = bob.browser().get(reverse(page)).content.decode()
        for action in actions:
            assert f'name="do" value="{action}"' in hers
            assert f'name="do" value="{action}"' not in his


def test_a_plain_member_is_still_refused_by_the_server(alice: Person, bob: Person):
    bob.browser().post(reverse("site:keys"), {"do": "revoke", "id": alice.key.id})

    alice.key.refresh_from_db()
    assert alice.key.is_active
