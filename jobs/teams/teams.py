"""Services that create teams, and change their settings, members and roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from jobs.audit.trail import Author, audit_append
from jobs.errors import NotFound, PermissionDenied
from jobs.models import Action, Membership, Team
from jobs.teams.actor import Actor
from segmentation.errors import InvalidParameter
from segmentation.options import Quality

_Role = Membership.Role


def team_create(*, name: str, owner: User | None = None, author: Author | None = None) -> Team:
    """Create a team and return it; raise InvalidParameter if the name is invalid or already used.

    owner: becomes the team's owner; None means that the team has no member.
    author: the author of the audit entry; None means the owner, or the site itself if there is no owner.
    """
    name = _checked_name(name)
    with transaction.atomic():
        team = Team.objects.create(name=name)
        if owner is not None:
            Membership.objects.create(team=team, user=owner, role=_Role.OWNER)
        author = author or (Author() if owner is None else Author.person(owner, team=team))
        audit_append(action=Action.TEAM_CREATED, author=author, target=team)
    return team


def personal_team_create(*, user: User, author: Author) -> Team:
    """Create a new user's own team and return it.

    The team has the user's name. If this name is in use, a number is added.
    """
    base = user.get_username()[:100]
    taken = set(Team.objects.filter(name__startswith=base).values_list("name", flat=True))
    names = (base if number == 1 else f"{base} {number}" for number in range(1, len(taken) + 2))
    name = next(name for name in names if name not in taken)
    return team_create(name=name, owner=user, author=author)


_UNCHANGED: Any = object()


def team_update(
    *,
    actor: Actor,
    name: str | None = None,
    members_see_all: bool | None = None,
    quality: str | None = None,
    review_above: float | None = _UNCHANGED,
) -> Team:
    """Change the given settings of the actor's team, and return the team.

    None means no change, except for `review_above`.
    review_above: pictures whose uncertainty (0..1) is at least this value are reported as uncertain; None means that no
    picture is reported.
    quality: the name of a quality; empty means the site's default.
    Raise PermissionDenied if the actor is not a manager, and InvalidParameter for an invalid value.
    """
    require_manager(actor)
    with transaction.atomic():
        team = Team.objects.select_for_update().get(pk=actor.team.pk)
        before = _settings_of(team)
        if name is not None and name.strip() != team.name:
            team.name = _checked_name(name)
        if members_see_all is not None:
            team.members_see_all = members_see_all
        if quality is not None:
            team.quality = _checked_quality(quality)
        if review_above is not _UNCHANGED:
            team.review_above = _checked_share(review_above)
        team.save()
        after = _settings_of(team)
        if after != before:
            audit_append(action=Action.TEAM_CHANGED, author=Author.of(actor), target=team, before=before, after=after)
    return team


def _settings_of(team: Team) -> dict[str, Any]:
    return {name: getattr(team, name) for name in ("name", "members_see_all", "quality", "review_above")}


# Members --------------------------------------------------------------------------------------------------------------


def member_role_change(*, actor: Actor, membership: Membership, role: str) -> Membership:
    """Change a member's role and return the membership.

    Owners may change all roles. Admins may not change owners or make a member an owner. Raise PermissionDenied if the
    actor may not make the change, and NotFound if the membership belongs to another team. Raise InvalidParameter if the
    role is unknown or if the team would have no owner.
    """
    role = role_checked(role)
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
    """Remove a member from the team.

    Each member may remove themselves. Owners may remove all members, and admins may remove all members except owners.
    Raise PermissionDenied if the actor may not remove the member, NotFound if the membership belongs to another team,
    and InvalidParameter if the team would have no owner.
    """
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
    """Set a user's role in a team, and return the membership. The author's permission is not checked.

    If the user is not a member yet, the user joins the team.
    """
    with transaction.atomic():
        present = Membership.objects.select_for_update().filter(team=team, user=user).first()
        if present is not None and present.role == role:
            return present
        membership, _ = Membership.objects.update_or_create(team=team, user=user, defaults={"role": role})
        action = Action.MEMBER_JOINED if present is None else Action.ROLE_CHANGED
        before = None if present is None else {"role": present.role}
        _audit_member(action, author.within(team), membership, before=before, after={"role": role})
    return membership


def membership_drop(*, author: Author, membership: Membership) -> None:
    """Remove a user from a team. The author's permission is not checked."""
    team = membership.team
    with transaction.atomic():
        if Membership.objects.filter(pk=membership.pk).delete()[0]:
            _audit_member(Action.MEMBER_REMOVED, author.within(team), membership, before={"role": membership.role})


# Rules ----------------------------------------------------------------------------------------------------------------


def require_manager(actor: Actor) -> None:
    """Raise PermissionDenied unless the actor is a signed-in owner or admin of the team."""
    if actor.user is None or not actor.is_manager:
        raise PermissionDenied("Teams are managed by their owners and admins, signed in.")


def is_owner(actor: Actor) -> bool:
    return actor.membership is not None and actor.membership.role == _Role.OWNER


def role_checked(role: str) -> str:
    """Return `role` unchanged; raise InvalidParameter if it is not a known role."""
    if role not in _Role.values:
        raise InvalidParameter(f"role: choose from {', '.join(_Role.values)}", field="role")
    return role


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 120 or not name.isprintable():
        raise InvalidParameter("name: 1 to 120 printable characters", field="name")
    if Team.objects.filter(name=name).exists():
        raise InvalidParameter("name: there is a team of this name", field="name")
    return name


def _checked_quality(quality: str) -> str:
    if quality not in ("", *Quality):
        raise InvalidParameter(f"quality: choose from {', '.join(Quality)}", field="quality")
    return quality


def _checked_share(value: float | None) -> float | None:
    if value is not None and not 0 <= value <= 1:
        raise InvalidParameter("review_above: a share from 0 to 1", field="review_above")
    return value


def _membership_locked(actor: Actor, membership: Membership) -> Membership:
    """Lock all memberships of the actor's team, and return the current row of the given membership.

    Raise NotFound if the membership belongs to another team. Because of the lock, two owners cannot remove each other's
    role at the same time.
    """
    rows = Membership.objects.select_for_update().filter(team=actor.team).select_related("user", "team")
    found = {row.pk: row for row in rows}
    if membership.pk not in found:
        raise NotFound
    return found[membership.pk]


def _require_power_over(actor: Actor, membership: Membership, role: str = _Role.MEMBER) -> None:
    require_manager(actor)
    if not is_owner(actor) and _Role.OWNER in (membership.role, role):
        raise PermissionDenied("Only an owner makes, changes or removes owners.")


def _require_other_owner(membership: Membership) -> None:
    owners = Membership.objects.filter(team_id=membership.team_id, role=_Role.OWNER)
    if not owners.exclude(pk=membership.pk).exists():
        raise InvalidParameter("A team keeps at least one owner; make another member an owner first.", field="role")


def _audit_member(
    action: Action,
    author: Author,
    membership: Membership,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit_append(action=action, author=author, target=membership.user, before=before, after=after)
