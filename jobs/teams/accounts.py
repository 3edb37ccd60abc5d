"""Stage 1, intake: what the site remembers of accounts: who signed up and in, who failed to, who was locked out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from jobs.audit.trail import Author, audit_append
from jobs.models import Action
from jobs.teams.teams import personal_team_create


def account_open(*, user: User, address: str | None) -> None:
    """Give a person who has just signed up a team of their own."""
    with transaction.atomic():
        personal_team_create(user=user, address=address)
        audit_append(action=Action.SIGNED_UP, author=Author.person(user, address=address), target=user)


def account_note(*, action: Action, user: User, address: str | None, after: dict[str, Any] | None = None) -> None:
    """Record what a known person did to their own account."""
    audit_append(action=action, author=Author.person(user, address=address), target=user, after=after)


def stranger_note(*, action: Action, name: str, address: str | None) -> None:
    """Record what somebody did who only claims a name: a sign-in that failed, a lock-out."""
    audit_append(action=action, author=Author(name=name or "unknown", address=address))
