"""Stage 3, state: make teams and change who belongs to them."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.errors import NotFound, PermissionDenied
from jobs.models import Action, Invitation, Membership, Team
from jobs.teams.actor import Actor
from segmentation.errors import InvalidParameter

INVITATION_DAYS = 7
_Role = Membership.Role


def team_create(*, name: str, owner: User | None = None, author: Author | None = None) -> Team:
    """Make a team, with its owner when there is one; raise InvalidParameter for a name that is taken."""
    name = _checked_name(name)
    with transaction.atomic():
        team = Team.objects.create(name=name)
        if owner is not None:
            Membership.objects.create(team=team, user=owner, role=_Role.OWNER)
        author = author or (Author() if owner is None else Author.person(owner, team=team))
        audit_append(action=Action.TEAM_CREATED, author=author, target=team)
    return team


def personal_team_create(*, user: User, address: str | None = None) -> Team:
    """Make a new user's own team, under the first free name."""
    base = user.get_username()[:100]
    taken = set(Team.objects.filter(name__startswith=base).values_list("name", flat=True))
    names = (base if number == 1 else f"{base} {number}" for number in range(1, len(taken) + 2))
    name = next(name for name in names if name not in taken)
    return team_create(name=name, owner=user, author=Author.person(user, address=address))


def team_update(*, actor: Actor, name: str | None = None, members_see_all: bool | None = None) -> Team:
    """Change the team's name and whether members see each other's jobs."""
    _require_manager(actor)
    with transaction.atomic():
        team = Team.objects.select_for_update().get(pk=actor.team.pk)
        before = {"name": team.name, "members_see_all": team.members_see_all}
        if name is not None and name.strip() != team.name:
            team.name = _checked_name(name)
        if members_see_all is not None:
            team.members_see_all = members_see_all
        team.save()
        after = {"name": team.name, "members_see_all": team.members_see_all}
        if after != before:
            audit_append(action=Action.TEAM_CHANGED, author=Author.of(actor), target=team, before=before, after=after)
    return team


# Members --------------------------------------------------------------------------------------------------------------


def member_role_change(*, actor: Actor, membership: Membership, role: str) -> Membership:
    """Give a member another role. Owners change every role, admins those of members and admins alone."""
    if role not in _Role.values:
        raise InvalidParameter(f"role: choose from {', '.join(_Role.values)}", field="role")
    with transaction.atomic():
        membership = _membership_locked(actor, membership)
        _require_power_over(actor, membership, role)
        before = membership.role
        if before == role:
            return membership
        if before == _Role.OWNER:
            _require_other_owner(membership)
        membership.role = role
        membership.save(update_fields=["role"])
        _audit_member(Action.ROLE_CHANGED, Author.of(actor), membership, before={"role": before}, after={"role": role})
    return membership


def member_remove(*, actor: Actor, membership: Membership) -> None:
    """Take a member out of the team; everybody may leave by themselves, but for the last owner."""
    with transaction.atomic():
        membership = _membership_locked(actor, membership)
        leaves = actor.user is not None and membership.user_id == actor.user.pk
        if not leaves:
            _require_power_over(actor, membership)
        if membership.role == _Role.OWNER:
            _require_other_owner(membership)
        Membership.objects.filter(pk=membership.pk).delete()
        _audit_member(Action.MEMBER_REMOVED, Author.of(actor), membership, before={"role": membership.role})


def membership_put(*, author: Author, team: Team, user: User, role: str) -> Membership:
    """Give a user a role in a team, on behalf of the site's staff."""
    with transaction.atomic():
        present = Membership.objects.select_for_update().filter(team=team, user=user).first()
        if present is not None and present.role == role:
            return present
        membership, _ = Membership.objects.update_or_create(team=team, user=user, defaults={"role": role})
        action = Action.MEMBER_JOINED if present is None else Action.ROLE_CHANGED
        before = None if present is None else {"role": present.role}
        author = replace(author, team_id=team.pk, team_name=team.name)
        _audit_member(action, author, membership, before=before, after={"role": role})
    return membership


def membership_drop(*, author: Author, membership: Membership) -> None:
    """Take a user out of a team, on behalf of the site's staff."""
    team = membership.team
    with transaction.atomic():
        if Membership.objects.filter(pk=membership.pk).delete()[0]:
            author = replace(author, team_id=team.pk, team_name=team.name)
            _audit_member(Action.MEMBER_REMOVED, author, membership, before={"role": membership.role})


# Invitations ----------------------------------------------------------------------------------------------------------


def invitation_create(
    *, actor: Actor, role: str = _Role.MEMBER, note: str = "", days: int = INVITATION_DAYS
) -> tuple[Invitation, str]:
    """Make a link that lets one person join; the second value is its token, which is never to be had again."""
    _require_manager(actor)
    if role not in _Role.values:
        raise InvalidParameter(f"role: choose from {', '.join(_Role.values)}", field="role")
    if role == _Role.OWNER and not _is_owner(actor):
        raise PermissionDenied("Only an owner makes owners.")
    if not 1 <= days <= 90:
        raise InvalidParameter("days: from 1 to 90", field="days")
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        invitation = Invitation.objects.create(
            team=actor.team,
            role=role,
            note=note.strip()[:120],
            token_hash=_hash_of(token),
            created_by=actor.user,
            expires_at=timezone.now() + dt.timedelta(days=days),
        )
        audit_append(
            action=Action.MEMBER_INVITED,
            author=Author.of(actor),
            target=invitation,
            after={"role": role, "note": invitation.note, "expires_at": invitation.expires_at},
        )
    return invitation, token


def invitation_revoke(*, actor: Actor, invitation: Invitation) -> None:
    """Make a link useless; one that was used or has expired stays as it is."""
    _require_manager(actor)
    if invitation.team_id != actor.team.pk:
        raise NotFound
    now = timezone.now()
    with transaction.atomic():
        open_ones = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
        if open_ones.update(revoked_at=now):
            audit_append(action=Action.INVITATION_REVOKED, author=Author.of(actor), target=invitation)


def invitation_of(token: str) -> Invitation:
    """Give the open invitation behind a link; raise NotFound alike for a wrong, a used and an expired one."""
    invitation = Invitation.objects.select_related("team", "created_by").filter(token_hash=_hash_of(token)).first()
    if invitation is None or not invitation.is_open:
        raise NotFound("This invitation is not valid any more.")
    return invitation


def invitation_accept(*, user: User, token: str, address: str | None = None) -> Membership:
    """Join the team of an invitation, once; somebody who is in it already keeps their role and the link stays good."""
    with transaction.atomic():
        invitation = invitation_of(token)
        present = Membership.objects.filter(team=invitation.team, user=user).first()
        if present is not None:
            return present
        open_ones = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
        if open_ones.update(accepted_at=timezone.now(), accepted_by=user) != 1:
            raise NotFound("This invitation is not valid any more.")
        membership = Membership.objects.create(team=invitation.team, user=user, role=invitation.role)
        author = Author.person(user, team=invitation.team, address=address)
        _audit_member(Action.MEMBER_JOINED, author, membership, after={"role": membership.role})
    return membership


# Rules ----------------------------------------------------------------------------------------------------------------


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 120 or not name.isprintable():
        raise InvalidParameter("name: 1 to 120 printable characters", field="name")
    if Team.objects.filter(name=name).exists():
        raise InvalidParameter("name: there is a team of this name", field="name")
    return name


def _require_manager(actor: Actor) -> None:
    if actor.user is None or not actor.is_manager:
        raise PermissionDenied("Teams are managed by their owners and admins, signed in.")


def _is_owner(actor: Actor) -> bool:
    return actor.membership is not None and actor.membership.role == _Role.OWNER


def _membership_locked(actor: Actor, membership: Membership) -> Membership:
    """Lock the whole team's memberships, so that two owners cannot demote each other at once."""
    rows = Membership.objects.select_for_update().filter(team=actor.team).select_related("user", "team")
    found = {row.pk: row for row in rows}
    if membership.pk not in found:
        raise NotFound
    return found[membership.pk]


def _require_power_over(actor: Actor, membership: Membership, role: str = _Role.MEMBER) -> None:
    _require_manager(actor)
    if not _is_owner(actor) and _Role.OWNER in (membership.role, role):
        raise PermissionDenied("Only an owner makes, changes or removes owners.")


def _require_other_owner(membership: Membership) -> None:
    owners = Membership.objects.filter(team_id=membership.team_id, role=_Role.OWNER)
    if not owners.exclude(pk=membership.pk).exists():
        raise InvalidParameter("A team keeps at least one owner; make somebody else one first.", field="role")


def _audit_member(
    action: Action,
    author: Author,
    membership: Membership,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit_append(action=action, author=author, target=membership.user, before=before, after=after)
