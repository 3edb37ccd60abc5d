"""Tests that no route lets a user read, list, change, cancel or download the data of another team.

The first test fails if a route of the site has no check (see `check_of` in tests/teams/routes.py).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import models
from django.test import Client
from django.urls import NoReverseMatch, reverse

from jobs.intake.sources import accept_bytes
from jobs.intake.uploads import upload_store
from jobs.models import (
    ApiKey,
    Artifact,
    AuditEntry,
    BackgroundPicture,
    Invitation,
    Job,
    JobImage,
    Membership,
    Preset,
    Quota,
    RecipeVersion,
    Upload,
    UsageEntry,
    Version,
    Webhook,
    WebhookDelivery,
)
from jobs.recipes.services import background_save, recipe_save
from jobs.teams.invitations import invitation_create
from jobs.webhooks import signing
from jobs.work.submission import Door, job_submit
from segmentation.options import CutoutOptions
from tests.api.contracts import published
from tests.cast import Person
from tests.photos import encoded
from tests.teams.routes import CHECKS, Other, check_of, routes

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# The text in every name that Alice chose: if Charlie sees it, data has leaked.
MARK = "alices-own-thing"
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def things(alice: Person) -> dict[str, str]:
    """Create one object of each kind for Alice, with the text MARK in its name; return the objects' ids by kind."""
    team = alice.team
    team.name = f"{MARK} team"
    team.save()
    job = _job(alice, dialect="native", external_id="")
    of_dialects: dict[str, str] = {}
    for contract in published():
        theirs = _job(alice, dialect=contract.name, external_id=f"0e5b8c9a-{contract.name}")
        of_dialects |= {f"{contract.name}:job": str(theirs.pk), f"{contract.name}:external_id": theirs.external_id}
    webhook = Webhook.objects.create(
        team=team, url=f"https://{MARK}.example/", events=["job.failed"], secret=signing.new_secret()
    )
    delivery = WebhookDelivery.objects.create(
        webhook=webhook, event="job.failed", url=webhook.url, payload={"name": MARK}, message_id="msg_1", job=job
    )
    ApiKey.objects.filter(pk=alice.key.pk).update(name=f"{MARK} key")
    invitation, _ = invitation_create(actor=alice.actor, note=MARK)
    upload = upload_store(actor=alice.actor, source=accept_bytes(encoded("PNG"), name=f"{MARK}.png"))
    recipe = {"title": MARK, "background": {"type": "color", "color": "#ffffff"}, "outputs": [{"format": "jpeg"}]}
    recipe_save(actor=alice.actor, name="hers-alone", body=recipe)
    background_save(actor=alice.actor, name="hers alone", source=accept_bytes(encoded("PNG"), name="room.png"))
    preset = Preset.objects.create(user=alice.user, name=MARK, options={})
    artifact = job.artifacts.get()
    return {
        "job": str(job.pk),
        "image": str(job.images.get().pk),
        "position": "0",
        "artifact": str(artifact.pk),
        "file_name": artifact.file_name,
        **of_dialects,
        "webhook": str(webhook.pk),
        "delivery": str(delivery.pk),
        "upload": str(upload.pk),
        "invitation": str(invitation.pk),
        "guessed_token": "A" * 32,
        "membership": str(alice.membership.pk),
        "member_role": "member",
        "preset": str(preset.pk),
        "key": str(alice.key.pk),
        "team": str(team.pk),
        "search": MARK[:10],
        "number": "1",
        "recipe": "hers-alone",
        "background": "hers alone",
    }


def _job(alice: Person, *, dialect: str, external_id: str) -> Job:
    source = accept_bytes(encoded("PNG"), name=f"{MARK}.png")
    return job_submit(
        actor=alice.actor,
        door=Door(dialect=dialect, external_id=external_id),
        options=CutoutOptions(),
        sources=[source],
    )


@pytest.fixture
def charlies(charlie: Person) -> list[Client]:
    """Return Charlie's browser and API client, without rate limits."""
    unlimited = {"submits_per_second": None, "queries_per_second": None}
    dialects = {contract.name: unlimited for contract in published()}
    Quota.objects.create(team=charlie.team, dialects=dialects)
    return [charlie.browser(), charlie.api()]


def belongings(alice: Person) -> dict[str, list[dict[str, Any]]]:
    """Return all database rows of Alice's team, by model."""
    team = alice.team
    owned: list[models.QuerySet] = [
        Job.objects.filter(team=team),
        JobImage.objects.filter(job__team=team),
        Artifact.objects.filter(job__team=team),
        ApiKey.objects.filter(team=team),
        Webhook.objects.filter(team=team),
        WebhookDelivery.objects.filter(webhook__team=team),
        Upload.objects.filter(team=team),
        Membership.objects.filter(team=team),
        Invitation.objects.filter(team=team),
        Preset.objects.filter(user=alice.user),
        RecipeVersion.objects.filter(team=team),
        BackgroundPicture.objects.filter(team=team),
        Version.objects.filter(image__job__team=team),
        UsageEntry.objects.filter(team=team),
    ]
    return {rows.model.__name__: list(rows.order_by("pk").values()) for rows in owned}


def send(client: Client, method: str, address: str, body: dict[str, str]) -> Any:
    if method == "get":
        return client.get(address, body)
    if method == "post":
        return client.post(address, body)
    return getattr(client, method)(address, json.dumps(body), "application/json")


def is_refused(answer: Any, address: str) -> bool:
    """Return whether a response shows nothing about the object at the URL `address`.

    Such a response is an error, a redirect to the sign-in page or to `address`, or a response of the DashScope API that
    has the status 200 but reports an unknown task.
    """
    if answer.status_code == 302:
        return answer["Location"] == address or answer["Location"].startswith("/accounts/login/")
    return answer.status_code >= 400 or b'"UNKNOWN"' in answer.content


def text_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace") + str(dict(answer.items()))


def test_every_address_of_the_site_is_known_here() -> None:
    unknown = sorted({route.name for route in routes() if check_of(route.name) is None})

    assert not unknown, f"say in CHECKS of tests/teams/routes.py how another team is kept out of: {', '.join(unknown)}"


def test_no_check_is_left_over_for_an_address_that_is_gone() -> None:
    assert set(CHECKS) <= {route.name for route in routes()}


@pytest.mark.parametrize("name", sorted(name for name, check in CHECKS.items() if isinstance(check, Other)))
def test_another_teams_thing_is_not_there(
    name: str, things: dict[str, str], alice: Person, charlies: list[Client]
) -> None:
    check = CHECKS[name]
    address = reverse(name, kwargs={part: things[value] for part, value in check.values.items()})
    before = belongings(alice)

    for client in charlies:
        for method in METHODS:
            for body in ({}, *check.bodies):
                answer = send(client, method, address, body)
                assert MARK not in text_of(answer), (method, answer.status_code)
                assert is_refused(answer, address), (method, answer.status_code)

    assert belongings(alice) == before


@pytest.mark.parametrize("name", sorted(name for name, check in CHECKS.items() if not isinstance(check, Other)))
def test_an_address_of_ones_own_shows_and_changes_nothing_of_another_team(
    name: str, things: dict[str, str], alice: Person, charlies: list[Client]
) -> None:
    address = reverse(name)
    before = belongings(alice)
    bodies = [
        {key: things.get(value, value) for key, value in body.items()} for body in getattr(CHECKS[name], "bodies", ())
    ]

    for client in charlies:
        for method in METHODS:
            for body in ({}, *bodies):
                assert MARK not in text_of(send(client, method, address, body)), method

    assert belongings(alice) == before


@pytest.mark.parametrize(
    "name",
    sorted({route.name for route in routes() if route.name.startswith(("account_", "mfa_")) and not route.parts}),
)
def test_account_pages_show_nothing_of_another_team(name: str, things: dict[str, str], charlies: list[Client]) -> None:
    assert MARK not in text_of(charlies[0].get(reverse(name)))


def test_no_page_of_the_admin_opens_for_who_is_no_staff(things: dict[str, str], charlies: list[Client]) -> None:
    values = {"artifact_id": things["artifact"], "job_id": things["job"], "form": "csv"}

    for route in routes():
        if not route.name.startswith("admin:") or route.name in ("admin:login", "admin:logout", "admin:jsi18n"):
            continue
        try:
            address = reverse(route.name, kwargs={part: values.get(part, things["job"]) for part in route.parts})
        except NoReverseMatch:  # a parameter whose pattern matches no id, such as the catch-all
            continue
        answer = charlies[0].get(address)
        assert answer.status_code in (302, 403, 404), (route.name, answer.status_code)
        assert MARK not in text_of(answer)


def test_a_stranger_gets_nothing_at_any_address(things: dict[str, str], alice: Person) -> None:
    stranger = Client()
    before = belongings(alice)

    for name, check in CHECKS.items():
        values = {part: things[value] for part, value in getattr(check, "values", {}).items()}
        for method in ("get", "post", "delete"):
            assert MARK not in text_of(send(stranger, method, reverse(name, kwargs=values), {})), (name, method)

    assert belongings(alice) == before


def test_a_member_sees_only_their_own_jobs_where_the_team_is_set_so(alice: Person, bob: Person) -> None:
    job = _job(alice, dialect="native", external_id="")
    assert bob.browser().get(f"/api/jobs/{job.pk}/").status_code == 200

    alice.team.members_see_all = False
    alice.team.save()

    browser = bob.browser()
    assert browser.get(f"/api/jobs/{job.pk}/").status_code == 404
    assert browser.get("/api/jobs/").json()["count"] == 0
    assert MARK not in text_of(browser.get("/gallery/"))
    assert browser.post(f"/api/jobs/{job.pk}/cancel").status_code == 404
    assert alice.browser().get(f"/api/jobs/{job.pk}/").status_code == 200


def test_a_member_deletes_what_they_see_at_either_door_and_it_is_recorded(alice: Person, bob: Person) -> None:
    first, second = (_job(alice, dialect="native", external_id="") for _ in range(2))
    browser = bob.browser()

    assert browser.delete(f"/api/jobs/{first.pk}/").status_code == 204
    browser.post(reverse("site:selection"), {"do": "delete", "image": str(second.images.get().pk)})

    assert not Job.objects.filter(pk__in=[first.pk, second.pk]).exists()
    purges = AuditEntry.objects.filter(action="job.purged", actor_name="bob")
    assert {entry.object_id for entry in purges} == {str(first.pk), str(second.pk)}
