"""Queries for the members, invitations, keys and presets that an actor (a user or an API key) may see."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from jobs.errors import NotFound
from jobs.models import ApiKey, Invitation, Membership, Preset
from jobs.models.identifiers import is_uuid
from jobs.teams.actor import Actor


def keys_of(actor: Actor) -> QuerySet[ApiKey]:
    """Return the API keys of the actor's team, newest first."""
    return ApiKey.objects.filter(team=actor.team)


def key_get(actor: Actor, key_id: UUID) -> ApiKey:
    key = keys_of(actor).filter(pk=key_id).first()
    if key is None:
        raise NotFound
    return key


def members_of(actor: Actor) -> QuerySet[Membership]:
    """Return the memberships of the actor's team, oldest first."""
    return Membership.objects.filter(team=actor.team).select_related("user").order_by("created_at")


def member_get(actor: Actor, membership_id: str) -> Membership:
    membership = members_of(actor).filter(pk=membership_id).first() if membership_id.isdecimal() else None
    if membership is None:
        raise NotFound
    return membership


def invitations_open(actor: Actor) -> QuerySet[Invitation]:
    """Return the team's open invitations; an empty queryset if the actor is not a manager."""
    if not actor.is_manager:
        return Invitation.objects.none()
    return Invitation.objects.filter(team=actor.team, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())


def invitation_get(actor: Actor, invitation_id: str) -> Invitation:
    invitation = invitations_open(actor).filter(pk=invitation_id).first() if is_uuid(invitation_id) else None
    if invitation is None:
        raise NotFound
    return invitation


def presets_of(user: User) -> QuerySet[Preset]:
    """Return a user's presets (saved cutout settings)."""
    return Preset.objects.filter(user=user)


def key_by_secret(secret: str) -> ApiKey | None:
    """Return the API key with this secret; None if no key has this secret.

    This function does not check whether the key is revoked, expired or used from an allowed network. The API's function
    `key_admitted` checks this.
    """
    return ApiKey.objects.select_related("team__quota", "created_by").filter(secret_hash=ApiKey.hash_of(secret)).first()


def key_by_public_id(public_id: str) -> ApiKey | None:
    return ApiKey.objects.select_related("team__quota", "created_by").filter(public_id=public_id).first()
