"""Stage 3, state: make teams and change who belongs to them."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from jobs.models import Membership, Team


def team_create(*, name: str, owner: User | None = None) -> Team:
    """Make a team, with its owner when there is one."""
    with transaction.atomic():
        team = Team.objects.create(name=name)
        if owner is not None:
            Membership.objects.create(team=team, user=owner, role=Membership.Role.OWNER)
    return team
