"""Adapt allauth's single sign-on: who may have an account, and the teams and rights of each sign-in's groups."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest

from jobs.audit.trail import Author, audit_append
from jobs.models import Action, Membership, Team
from jobs.teams.group_maps import (
    STAFF_ROLES,
    SUPERUSER,
    staff_groups,
    staff_roles_of_groups,
    team_groups,
    teams_of_groups,
)
from jobs.teams.teams import membership_drop, membership_put, team_create


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Create accounts for people with a mapped group; for other people only where sign-up is open to everyone."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        groups = groups_of(sociallogin.account.extra_data)
        mapped = bool(teams_of_groups(groups) or staff_roles_of_groups(groups))
        return mapped or settings.MATTING_SIGNUP_OPEN


def groups_of(claims: dict[str, Any]) -> list[str]:
    """Return a person's groups from the provider's data: the user info if it has them, else the id token."""
    for part in (claims.get("userinfo"), claims.get("id_token"), claims):
        found = (part or {}).get(settings.OIDC_GROUPS_CLAIM)
        if isinstance(found, list):
            return [str(group).removeprefix("/") for group in found]
        if isinstance(found, str):
            return [found]
    return []


def groups_apply(*, user: User, groups: list[str], author: Author) -> None:
    """Give a user the teams, roles and rights of the user's groups, and remove those of groups that the user has left.

    Teams and rights that no setting names are not changed.
    """
    with transaction.atomic():
        _teams_apply(user, teams_of_groups(groups), author)
        if staff_groups():
            _staff_apply(user, staff_roles_of_groups(groups), author)


def _teams_apply(user: User, wanted: dict[str, str], author: Author) -> None:
    for name, role in wanted.items():
        team = Team.objects.filter(name=name).first() or team_create(name=name, author=author)
        membership_put(author=author, team=team, user=user, role=role)
    left = {entry.team for entry in team_groups()} - set(wanted)
    for membership in Membership.objects.filter(user=user, team__name__in=left).select_related("team", "user"):
        membership_drop(author=author, membership=membership)


def _staff_apply(user: User, wanted: set[str], author: Author) -> None:
    before = _staff_roles(user)
    if before == wanted:
        return
    user.is_superuser = SUPERUSER in wanted
    user.is_staff = bool(wanted)
    user.save(update_fields=["is_superuser", "is_staff"])
    user.groups.remove(*Group.objects.filter(name__in=STAFF_ROLES))
    user.groups.add(*Group.objects.filter(name__in=wanted))
    audit_append(
        action=Action.ROLE_CHANGED,
        author=author,
        target=user,
        before={"staff": sorted(before)},
        after={"staff": sorted(wanted)},
    )


def _staff_roles(user: User) -> set[str]:
    if not user.is_staff:
        return set()
    found = set(user.groups.filter(name__in=STAFF_ROLES).values_list("name", flat=True))
    return found | ({SUPERUSER} if user.is_superuser else set())
