"""Tests of the members of a team, of the permission to change them, and of invitations."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from jobs.audit.trail import Author
from jobs.errors import NotFound, PermissionDenied
from jobs.models import AuditEntry, Invitation, Membership, Team
from jobs.teams.invitations import invitation_accept, invitation_create, invitation_revoke
from jobs.teams.teams import (
    member_remove,
    member_role_change,
    team_create,
    team_update,
)
from segmentation.errors import InvalidParameter
from tests.cast import Person

pytestmark = pytest.mark.django_db
Role = Membership.Role


def last_entry() -> AuditEntry:
    return AuditEntry.objects.first()


def test_an_owner_makes_a_member_an_admin_and_it_is_recorded(alice: Person, bob: Person) -> None:
    member_role_change(actor=alice.actor, membership=bob.membership, role=Role.ADMIN)

    bob.membership.refresh_from_db()
    entry = last_entry()
    assert bob.membership.role == Role.ADMIN
    assert (entry.actor_name, entry.object_name) == ("alice", "bob")
    assert (entry.before, entry.after) == ({"role": "member"}, {"role": "admin"})


def test_a_member_changes_no_roles(alice: Person, bob: Person) -> None:
    with pytest.raises(PermissionDenied):
        member_role_change(actor=bob.actor, membership=bob.membership, role=Role.ADMIN)


def test_an_admin_makes_no_owner_and_touches_none(alice: Person, bob: Person) -> None:
    member_role_change(actor=alice.actor, membership=bob.membership, role=Role.ADMIN)
    bob.membership.refresh_from_db()

    with pytest.raises(PermissionDenied):
        member_role_change(actor=bob.actor, membership=bob.membership, role=Role.OWNER)
    with pytest.raises(PermissionDenied):
        member_role_change(actor=bob.actor, membership=alice.membership, role=Role.MEMBER)
    with pytest.raises(PermissionDenied):
        member_remove(actor=bob.actor, membership=alice.membership)


def test_a_key_manages_no_members(alice: Person, bob: Person) -> None:
    from jobs.teams.actor import Actor

    with pytest.raises(PermissionDenied):
        member_remove(actor=Actor(team=alice.team, key=alice.key), membership=bob.membership)


def test_the_last_owner_neither_leaves_nor_steps_down(alice: Person) -> None:
    with pytest.raises(InvalidParameter, match="at least one owner"):
        member_remove(actor=alice.actor, membership=alice.membership)
    with pytest.raises(InvalidParameter, match="at least one owner"):
        member_role_change(actor=alice.actor, membership=alice.membership, role=Role.MEMBER)


def test_a_member_may_leave(alice: Person, bob: Person) -> None:
    member_remove(actor=bob.actor, membership=bob.membership)

    assert not Membership.objects.filter(user=bob.user).exists()
    assert last_entry().action == "member.removed"


def test_another_teams_members_are_out_of_reach(alice: Person, charlie: Person) -> None:
    with pytest.raises(NotFound):
        member_role_change(actor=alice.actor, membership=charlie.membership, role=Role.MEMBER)
    with pytest.raises(NotFound):
        member_remove(actor=alice.actor, membership=charlie.membership)


def test_an_invitation_lets_one_person_in_once(alice: Person, bob: Person, charlie: Person) -> None:
    _, token = invitation_create(actor=alice.actor, role=Role.ADMIN)

    joined = invitation_accept(user=charlie.user, token=token, author=Author.person(charlie.user))

    assert (joined.team, joined.role) == (alice.team, Role.ADMIN)
    with pytest.raises(NotFound):
        invitation_accept(user=bob.user, token=token, author=Author.person(bob.user))
    assert last_entry().action == "member.joined"


def test_the_links_token_is_stored_as_a_hash_alone(alice: Person) -> None:
    invitation, token = invitation_create(actor=alice.actor)

    assert token not in str(Invitation.objects.filter(pk=invitation.pk).values().get())
    assert token not in str(last_entry().content())


def test_a_member_already_keeps_the_role_and_the_link_stays_good(alice: Person, bob: Person) -> None:
    invitation, token = invitation_create(actor=alice.actor, role=Role.ADMIN)

    assert invitation_accept(user=bob.user, token=token, author=Author.person(bob.user)).role == Role.MEMBER

    invitation.refresh_from_db()
    assert invitation.is_open


@pytest.mark.parametrize("how", ["revoked", "expired", "wrong"])
def test_a_link_that_is_not_valid_lets_nobody_in(alice: Person, charlie: Person, how: str) -> None:
    invitation, token = invitation_create(actor=alice.actor)
    if how == "revoked":
        invitation_revoke(actor=alice.actor, invitation=invitation)
    elif how == "expired":
        Invitation.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    else:
        token += "x"

    with pytest.raises(NotFound):
        invitation_accept(user=charlie.user, token=token, author=Author.person(charlie.user))


def test_members_invite_nobody_and_admins_no_owners(alice: Person, bob: Person) -> None:
    with pytest.raises(PermissionDenied):
        invitation_create(actor=bob.actor)
    member_role_change(actor=alice.actor, membership=bob.membership, role=Role.ADMIN)
    bob.membership.refresh_from_db()
    with pytest.raises(PermissionDenied):
        invitation_create(actor=bob.actor, role=Role.OWNER)


def test_another_teams_invitation_cannot_be_revoked(alice: Person, charlie: Person) -> None:
    invitation, _ = invitation_create(actor=alice.actor)

    with pytest.raises(NotFound):
        invitation_revoke(actor=charlie.actor, invitation=invitation)


def test_a_preview_of_the_link_joins_nothing(alice: Person, charlie: Person) -> None:
    _, token = invitation_create(actor=alice.actor)

    page = charlie.browser().get(f"/invitations/{token}/")

    assert page.status_code == 200
    assert not Membership.objects.filter(team=alice.team, user=charlie.user).exists()


def test_the_current_team_is_switched_and_stays(alice: Person) -> None:
    other = team_create(name="Archive", owner=alice.user)
    browser = alice.browser()

    browser.post("/team/switch", {"team": str(other.pk), "next": "/gallery/"})

    assert browser.get("/api/account").json()["team"]["name"] == "Archive"


@pytest.mark.parametrize("team", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_nobody_switches_to_a_team_that_is_not_theirs(alice: Person, charlie: Person, team: str) -> None:
    browser = alice.browser()

    assert browser.post("/team/switch", {"team": team}).status_code == 404
    assert browser.post("/team/switch", {"team": str(charlie.team.pk)}).status_code == 404
    assert browser.get("/api/account").json()["team"]["name"] == "Studio"


def test_switching_leads_to_our_own_pages_alone(alice: Person) -> None:
    answer = alice.browser().post("/team/switch", {"team": str(alice.team.pk), "next": "https://evil.example/"})

    assert answer["Location"] == "/"


def test_a_team_is_renamed_by_its_managers_and_a_taken_name_is_refused(
    alice: Person, bob: Person, charlie: Person
) -> None:
    with pytest.raises(PermissionDenied):
        team_update(actor=bob.actor, name="Ours")
    with pytest.raises(InvalidParameter):
        team_update(actor=alice.actor, name="Print shop")

    team_update(actor=alice.actor, name="Studio North", members_see_all=False)

    team = Team.objects.get(pk=alice.team.pk)
    assert (team.name, team.members_see_all) == ("Studio North", False)
    before = last_entry().before
    assert (before["name"], before["members_see_all"]) == ("Studio", True)
