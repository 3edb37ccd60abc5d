"""Services that create, revoke and accept invitations to join a team."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.errors import NotFound, PermissionDenied
from jobs.models import Action, Invitation, Membership
from jobs.teams.actor import Actor
from jobs.teams.teams import is_owner, require_manager, role_checked
from segmentation.errors import InvalidParameter

INVITATION_DAYS = 7
MAX_DAYS = 90
_Role = Membership.Role


def invitation_create(
    *, actor: Actor, role: str = _Role.MEMBER, note: str = "", days: int = INVITATION_DAYS
) -> tuple[Invitation, str]:
    """Create an invitation and return it with its token. The site stores only a hash of the token.

    role: the role that the new member gets.
    note: a text that says for whom the invitation is.
    days: the number of days until the invitation expires.
    Raise InvalidParameter for an unknown role or an invalid number of days. Raise PermissionDenied if the actor does
    not manage the team. Also raise it for an invitation with the role owner if the actor is not an owner.
    """
    require_manager(actor)
    role = role_checked(role)
    if role == _Role.OWNER and not is_owner(actor):
        raise PermissionDenied("Only an owner makes owners.")
    if not 1 <= days <= MAX_DAYS:
        raise InvalidParameter(f"days: from 1 to {MAX_DAYS}", field="days")
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
    """Revoke an invitation. An invitation that was already used or revoked does not change.

    Raise PermissionDenied if the actor is not a manager, and NotFound if the invitation belongs to another team.
    """
    require_manager(actor)
    if invitation.team_id != actor.team.pk:
        raise NotFound
    with transaction.atomic():
        unused = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
        if unused.update(revoked_at=timezone.now()):
            audit_append(action=Action.INVITATION_REVOKED, author=Author.of(actor), target=invitation)


def invitation_of(token: str) -> Invitation:
    """Return the open invitation with this token.

    Raise NotFound, with the same message, if the invitation is unknown, used, revoked or expired.
    """
    invitation = Invitation.objects.select_related("team", "created_by").filter(token_hash=_hash_of(token)).first()
    if invitation is None or not invitation.is_open:
        raise NotFound("This invitation is not valid any more.")
    return invitation


def invitation_accept(*, user: User, token: str, author: Author) -> Membership:
    """Add the user to the team of an invitation, mark the invitation as used, and return the membership.

    If the user is already a member, the user keeps their role and the invitation stays open. Raise NotFound if the
    invitation is not open.
    author: the user as the author of the audit entry.
    """
    with transaction.atomic():
        invitation = invitation_of(token)
        present = Membership.objects.filter(team=invitation.team, user=user).first()
        if present is not None:
            return present
        unused = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
        if unused.update(accepted_at=timezone.now(), accepted_by=user) != 1:
            raise NotFound("This invitation is not valid any more.")
        membership = Membership.objects.create(team=invitation.team, user=user, role=invitation.role)
        audit_append(
            action=Action.MEMBER_JOINED,
            author=author.within(invitation.team),
            target=user,
            after={"role": membership.role},
        )
    return membership


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
