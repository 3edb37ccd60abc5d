"""Tests of API keys: scopes, allowed networks, expiry, and the stored data about the last use."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from jobs.errors import PermissionDenied
from jobs.models import ApiKey, AuditEntry, Scope
from jobs.teams.keys import key_create, key_revoke, team_key_create, team_key_revoke
from jobs.teams.roles import roles_sync
from segmentation.errors import InvalidParameter
from tests.cast import Person

pytestmark = pytest.mark.django_db

LIST = "/api/jobs/"


def answer(secret: str, **values: str) -> int:
    return Client(**values).get(LIST, headers={"Authorization": f"Bearer {secret}"}).status_code


def give_role(person: Person, role: str) -> None:
    """Make a user a staff member with a predefined role (group of permissions)."""
    roles_sync()
    person.user.is_staff = True
    person.user.save()
    person.user.groups.add(Group.objects.get(name=role))


def made(person: Person, **values: object) -> tuple[ApiKey, str]:
    return key_create(team=person.team, name="shop", **values)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer {}"},
        {"Authorization": "bearer {}"},
        {"Authorization": "Token {}"},
        {"X-API-KEY": "{}"},
    ],
)
def test_one_key_opens_by_every_header_that_clients_send(alice: Person, headers: dict[str, str]) -> None:
    sent = {name: value.format(alice.secret) for name, value in headers.items()}

    assert Client().get(LIST, headers=sent).status_code == 200


def test_the_secret_is_stored_as_a_hash_alone(alice: Person) -> None:
    row = str(ApiKey.objects.filter(pk=alice.key.pk).values().get())

    assert alice.secret not in row
    assert alice.secret not in "".join(str(entry.content()) for entry in AuditEntry.objects.all())


def test_a_revoked_key_is_closed_at_once(alice: Person) -> None:
    key, secret = made(alice)
    assert answer(secret) == 200

    key_revoke(key=key)

    assert answer(secret) == 401
    assert AuditEntry.objects.filter(action="key.revoked", object_id=str(key.pk)).count() == 1


def test_revoking_twice_is_recorded_once(alice: Person) -> None:
    key, _ = made(alice)

    key_revoke(key=key)
    key_revoke(key=key)

    assert AuditEntry.objects.filter(action="key.revoked").count() == 1


def test_an_expired_key_is_closed(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = made(alice, expires_at=timezone.now() + dt.timedelta(hours=1))
    assert answer(secret) == 200

    later = timezone.now() + dt.timedelta(hours=2)
    monkeypatch.setattr(timezone, "now", lambda: later)

    assert answer(secret) == 401


@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        (["203.0.113.0/24"], "203.0.113.9", 200),
        (["203.0.113.0/24"], "198.51.100.1", 403),
        (["203.0.113.7"], "203.0.113.7", 200),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", 200),
        (["203.0.113.0/24"], "::ffff:198.51.100.1", 403),
        (["fe80::/10"], "fe80::1%eth0", 200),
        (["2001:db8::/32"], "2001:db8::1", 200),
        (["2001:db8::/32"], "203.0.113.7", 403),
    ],
)
def test_a_key_opens_from_its_networks_alone(alice: Person, networks: list[str], address: str, status: int) -> None:
    _, secret = made(alice, allowed_networks=networks)

    assert answer(secret, REMOTE_ADDR=address) == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"allowed_networks": ["example.com"]},
        {"expires_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)},
        {"scopes": ["everything"]},
        {"scopes": []},
    ],
)
def test_a_key_that_makes_no_sense_is_refused(alice: Person, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        made(alice, **wrong)

    assert refusal.value.field == next(iter(wrong))


def test_a_key_that_may_only_read_submits_nothing(alice: Person) -> None:
    _, secret = made(alice, scopes=[Scope.READ])

    body = {"image_url": "https://pictures.example/1.jpg"}
    refused = Client().post(LIST, body, "application/json", headers={"Authorization": f"Bearer {secret}"})

    assert answer(secret) == 200
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_the_last_use_is_noted_at_most_once_a_minute(
    alice: Person, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: object
) -> None:
    key, secret = made(alice)
    answer(secret)
    first = ApiKey.objects.get(pk=key.pk).last_used_at
    answer(secret)
    assert ApiKey.objects.get(pk=key.pk).last_used_at == first

    later = timezone.now() + dt.timedelta(seconds=61)
    monkeypatch.setattr(timezone, "now", lambda: later)
    answer(secret)

    assert ApiKey.objects.get(pk=key.pk).last_used_at == later


def test_the_first_use_is_recorded_once_with_the_address(alice: Person) -> None:
    key, secret = made(alice)

    answer(secret, REMOTE_ADDR="203.0.113.9")
    answer(secret, REMOTE_ADDR="203.0.113.10")

    entry = AuditEntry.objects.get(action="key.first_used")
    assert (entry.key_id, entry.address, entry.team_name) == (key.public_id, "203.0.113.9", "Studio")


def test_managers_make_and_revoke_keys_and_members_do_not(alice: Person, bob: Person) -> None:
    key, _ = team_key_create(actor=alice.actor, name="shop")

    with pytest.raises(PermissionDenied):
        team_key_create(actor=bob.actor, name="mine")
    with pytest.raises(PermissionDenied):
        team_key_revoke(actor=bob.actor, key=key)
    team_key_revoke(actor=alice.actor, key=key)


@pytest.mark.parametrize("scope", [Scope.SERVER_FILES, Scope.ADMIN])
def test_scopes_that_open_the_server_are_given_by_staff_alone(alice: Person, scope: str) -> None:
    with pytest.raises(PermissionDenied):
        team_key_create(actor=alice.actor, name="shop", scopes=[scope])

    give_role(alice, "Team manager")
    key, _ = team_key_create(actor=alice.actor, name="shop", scopes=[scope])

    assert key.scopes == [scope]


@pytest.mark.parametrize("role", ["Auditor", "Operator"])
def test_staff_whose_role_makes_no_keys_gives_no_scopes_that_open_the_server(alice: Person, role: str) -> None:
    give_role(alice, role)

    with pytest.raises(PermissionDenied):
        team_key_create(actor=alice.actor, name="shop", scopes=[Scope.ADMIN])
    page = alice.browser().post("/keys/", {"do": "create", "name": "shop", "scopes": ["read", "server-files"]})

    assert page.context["form"].errors["scopes"]
    assert not ApiKey.objects.filter(name="shop").exists()
