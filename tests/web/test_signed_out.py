"""Tests of requests after sign-out: a page that is still open leads to the sign-in page.

A fragment of a page is never shown as a complete page.
"""

from __future__ import annotations

import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import Membership
from tests.cast import PASSWORD, Person
from tests.quota.actions import submit

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}


def next_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["next"][0]


@pytest.mark.parametrize(
    ("button", "page"),
    [
        ("site:selection", "site:gallery"),
        ("site:submit", "site:home"),
        ("site:team-switch", "site:home"),
        ("site:job-cancel", "site:job"),
        ("site:job-retry", "site:job"),
    ],
)
def test_a_button_pressed_too_late_leads_back_to_its_page_after_signing_in(
    client: Client, alice: Person, button: str, page: str
):
    args = [submit(alice, 2).id] if button.startswith("site:job") else []
    asked = client.post(reverse(button, args=args))
    target = next_of(asked["Location"])

    client.post(asked["Location"], {"login": "alice", "password": PASSWORD})
    answer = client.get(target, follow=True)

    assert answer.redirect_chain == [(reverse(page, args=args), 302)]
    assert answer.status_code == 200
    assert b"The action was not carried out" in answer.content


def test_nobody_is_led_to_a_job_that_is_not_theirs(alice: Person, charlie: Person):
    job = submit(alice, 2)

    assert charlie.browser().get(reverse("site:job-cancel", args=[job.id])).status_code == 404


def test_a_stale_form_gets_a_page_that_says_how_to_go_on(alice: Person):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice.user)
    answers = [client.post(reverse("site:keys"), {"do": "create"}, headers=head) for head in ({}, CHINESE)]

    plain, chinese = (answer.content.decode() for answer in answers)
    assert {answer.status_code for answer in answers} == {403}
    assert 'class="bar"' in plain
    assert "Request not carried out" in plain
    assert f'href="{reverse("site:keys")}"' in plain
    assert "请求未执行" in chinese


def test_the_script_that_saves_settings_is_told_in_words(client: Client, alice: Person):
    answers = [client.post(reverse("site:presets"), {}, "application/json"), client.delete(reverse("site:presets"))]

    assert {answer.status_code for answer in answers} == {401}
    assert "signed out" in answers[0].json()["detail"]


def test_htmx_opens_the_sign_in_page_rather_than_showing_it_inside_another(client: Client, alice: Person):
    page = reverse("site:job", args=[submit(alice, 2).id])
    answer = client.get(page, headers=HTMX)

    assert answer.status_code == 200
    assert answer.content == b""
    assert answer["HX-Redirect"].startswith("/accounts/login/")
    assert next_of(answer["HX-Redirect"]) == page


def test_after_signing_in_htmx_is_back_on_the_page_and_not_on_its_part(client: Client, alice: Person):
    page = reverse("site:gallery") + "?q=cat"
    headers = HTMX | {"HX-Current-URL": f"http://testserver{page}"}
    answer = client.get(f"{page}&page=2", headers=headers)
    elsewhere = client.get(f"{page}&page=2", headers=HTMX | {"HX-Current-URL": "https://evil.example/"})

    assert next_of(answer["HX-Redirect"]) == page
    assert next_of(elsewhere["HX-Redirect"]) == f"{page}&page=2"


def test_a_batch_that_is_gone_stops_its_page_from_asking(alice: Person, charlie: Person):
    gone = reverse("site:job", args=[uuid.uuid4()])
    answer = alice.browser().get(gone, headers=HTMX)

    assert answer.status_code == 286
    assert b"no longer exists" in answer.content
    assert b"hx-get" not in answer.content
    assert alice.browser().get(gone).status_code == 404


def test_a_batch_stops_asking_for_who_has_left_the_team(alice: Person, bob: Person):
    page = reverse("site:job", args=[submit(alice, 2).id])
    Membership.objects.filter(user=bob.user).delete()

    assert bob.browser().get(page, headers=HTMX).status_code == 286


def test_a_batch_of_which_one_picture_is_left_is_still_answered_with_a_part(alice: Person):
    job = submit(alice, 1)

    answer = alice.browser().get(reverse("site:job", args=[job.id]), headers=HTMX)

    assert b"<html" not in answer.content
    assert b'id="batch"' in answer.content


@pytest.mark.parametrize("page", ["gallery", "batch", "picture"])
def test_no_cache_takes_a_part_for_the_page(alice: Person, page: str):
    job = submit(alice, 1 if page == "picture" else 2)
    address = reverse("site:gallery") if page == "gallery" else reverse("site:job", args=[job.id])
    whole, part = (alice.browser().get(address, headers=head) for head in ({}, HTMX))

    assert "HX-Request" in whole["Vary"]
    assert "HX-Request" in part["Vary"]
    assert part["Cache-Control"] == "no-store"
    assert "no-store" not in whole.get("Cache-Control", "")
