"""Services that record account events: sign-up, sign-in, failed sign-in and lock-out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from jobs.audit.trail import Author, audit_append
from jobs.models import Action, Quota, Team
from jobs.quota.limits import quota_change
from jobs.teams.teams import personal_team_create


def account_open(*, user: User, author: Author, with_team: bool = True) -> None:
    """Record a new user and, if `with_team` is True, create the user's personal team.

    Use `with_team=False` for users whose single sign-on assigns a team.
    """
    with transaction.atomic():
        if with_team:
            team = personal_team_create(user=user, author=author)
            if settings.MATTING_SIGNUP_OPEN and (limits := _limits_of_strangers(team)):
                quota_change(author=author, team=team, **limits)
        audit_append(action=Action.SIGNED_UP, author=author, target=user)


def _limits_of_strangers(team: Team) -> dict[str, Any]:
    """Return the limits of MATTING_SIGNUP_QUOTA that are stricter than the site's defaults.

    These limits apply to the personal teams of users who created their account themselves.
    """
    site = Quota.default_of(team)
    found = {}
    for name, limit in settings.MATTING_SIGNUP_QUOTA.items():
        of_site = getattr(site, name)
        if limit is not None and (of_site is None or limit < of_site):
            found[name] = limit
    return found


def account_note(*, action: Action, user: User, author: Author, after: dict[str, Any] | None = None) -> None:
    """Record an action of a user on their own account.

    after: the changed values; None means that no values changed.
    """
    audit_append(action=action, author=author, target=user, after=after)


def stranger_note(*, action: Action, name: str, address: str | None, request_id: str = "") -> None:
    """Record a failed sign-in or a lock-out. For these events, only the entered user name is known.

    name: the entered name; if it is empty, `unknown` is recorded.
    address: the IP address; None means that it is unknown.
    """
    audit_append(action=action, author=Author(name=name or "unknown", address=address, request_id=request_id))
