"""Record account events: sign-up, sign-in, failed sign-in, lock-out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from jobs.audit.trail import Author, audit_append
from jobs.models import Action
from jobs.teams.teams import personal_team_create


def account_open(*, user: User, author: Author) -> None:
    """Create the personal team of a user who has just signed up."""
    with transaction.atomic():
        personal_team_create(user=user, author=author)
        audit_append(action=Action.SIGNED_UP, author=author, target=user)


def account_note(*, action: Action, user: User, author: Author, after: dict[str, Any] | None = None) -> None:
    """Record that a user changed or used their own account."""
    audit_append(action=action, author=author, target=user, after=after)


def stranger_note(*, action: Action, name: str, address: str | None, request_id: str = "") -> None:
    """Record an event for which only the entered user name is known: a failed sign-in or a lock-out."""
    audit_append(action=action, author=Author(name=name or "unknown", address=address, request_id=request_id))
