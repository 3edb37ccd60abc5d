"""The teams, roles and rights that the groups of a single sign-on give to a person.

The settings MATTING_GROUP_TEAMS and MATTING_GROUP_STAFF define them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from jobs.models import Membership
from jobs.teams.roles import ROLES

SUPERUSER = "superuser"
_BY_POWER = (Membership.Role.MEMBER, Membership.Role.ADMIN, Membership.Role.OWNER)
STAFF_ROLES = (*ROLES, "Auditor", SUPERUSER)


@dataclass(frozen=True, slots=True)
class TeamOfGroup:
    """A group of the single sign-on, with the team and the role that its members get."""

    group: str
    team: str
    role: str


def team_groups() -> list[TeamOfGroup]:
    """Return the entries of MATTING_GROUP_TEAMS; raise ValueError with the text of an invalid entry."""
    found = []
    for entry in settings.GROUP_TEAMS:
        group, _, target = entry.partition("=")
        team, colon, role = target.rpartition(":")
        if not colon or role not in Membership.Role.values:
            team, role = target, Membership.Role.MEMBER
        if not group.strip() or not team.strip() or len(team.strip()) > 120:
            raise ValueError(f"{entry} must be such as designers=Design or leads=Design:admin")
        found.append(TeamOfGroup(group.strip(), team.strip(), role))
    return found


def staff_groups() -> dict[str, str]:
    """Return the entries of MATTING_GROUP_STAFF as a dict from group to role.

    Raise ValueError with the text of an invalid entry.
    """
    found = {}
    for entry in settings.GROUP_STAFF:
        group, _, role = entry.partition("=")
        if not group.strip() or role.strip() not in STAFF_ROLES:
            raise ValueError(f"{entry} must be such as ops=Operator, with a role of {', '.join(STAFF_ROLES)}")
        found[group.strip()] = role.strip()
    return found


def teams_of_groups(groups: Iterable[str]) -> dict[str, str]:
    """Return the teams that the members of these groups join, as a dict from team name to role.

    If several groups give the same team, the strongest role is used.
    """
    given = set(groups)
    found: dict[str, str] = {}
    for entry in team_groups():
        if entry.group in given:
            strongest = max(entry.role, found.get(entry.team, entry.role), key=_BY_POWER.index)
            found[entry.team] = strongest
    return found


def staff_roles_of_groups(groups: Iterable[str]) -> set[str]:
    """Return the admin roles that the members of these groups get, such as `Operator` or `superuser`."""
    given = set(groups)
    return {role for group, role in staff_groups().items() if group in given}
