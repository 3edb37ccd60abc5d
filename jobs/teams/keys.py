"""Services that create and revoke API keys. A secret is returned once; the site stores only its hash."""

from __future__ import annotations

import datetime as dt
import ipaddress
import secrets
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.errors import PermissionDenied
from jobs.models import Action, ApiKey, Scope, Team
from jobs.teams.actor import Actor
from segmentation.errors import InvalidParameter

SECRET_PREFIX = "kl_"  # noqa: S105  lets secret scanners find our keys; not a secret itself
DEFAULT_SCOPES = (Scope.SUBMIT, Scope.READ)
# These scopes give access to the server itself, not only to the team's pictures, so only staff may grant them.
STAFF_SCOPES = (Scope.SERVER_FILES, Scope.ADMIN)
MAX_KEYS = 100
_TOUCH_EVERY = dt.timedelta(minutes=1)


def team_key_create(
    *,
    actor: Actor,
    name: str,
    scopes: Sequence[str] = DEFAULT_SCOPES,
    expires_at: dt.datetime | None = None,
    allowed_networks: Sequence[str] = (),
) -> tuple[ApiKey, str]:
    """Create a key for the actor's own team, and return the key with its secret.

    expires_at: the expiry; None means that the key never expires.
    allowed_networks: the networks from which the key may be used; empty means all networks.
    Raise PermissionDenied if the actor is not a signed-in manager of the team; an API key cannot create keys. Also
    raise it if `scopes` contains one of STAFF_SCOPES and the actor may not create keys in the admin. Raise
    InvalidParameter if the team has too many keys or a value is invalid.
    """
    _require_manager(actor)
    staff_scopes = sorted(set(scopes) & set(STAFF_SCOPES))
    if staff_scopes and not gives_staff_scopes(actor.user):
        raise PermissionDenied(f"The scope {staff_scopes[0]!r} is given by the site's staff.")
    if actor.team.keys.filter(revoked_at=None).count() >= MAX_KEYS:
        raise InvalidParameter(f"A team has at most {MAX_KEYS} keys; revoke one first.", field="name")
    return key_create(
        team=actor.team,
        name=name,
        scopes=scopes,
        created_by=actor.user,
        expires_at=expires_at,
        allowed_networks=allowed_networks,
        author=Author.of(actor),
    )


def key_create(
    *,
    team: Team,
    name: str,
    scopes: Sequence[str] = DEFAULT_SCOPES,
    created_by: User | None = None,
    expires_at: dt.datetime | None = None,
    allowed_networks: Sequence[str] = (),
    author: Author | None = None,
) -> tuple[ApiKey, str]:
    """Create a key and return it with its secret. The secret cannot be read again.

    created_by: the user who creates the key; None means that a command creates it.
    expires_at: the expiry; None means that the key never expires.
    allowed_networks: the networks from which the key may be used; empty means all networks.
    author: the author of the audit entry; None means `created_by`.
    Raise InvalidParameter for an invalid name, an unknown scope, an expiry in the past or an invalid network.
    """
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        team=team,
        name=_checked_name(name),
        public_id=secrets.token_hex(12),
        secret_hash=ApiKey.hash_of(secret),
        scopes=_checked_scopes(scopes),
        created_by=created_by,
        expires_at=_checked_expiry(expires_at),
        allowed_networks=networks_checked(allowed_networks),
    )
    with transaction.atomic():
        key.save(force_insert=True)
        audit_append(
            action=Action.KEY_CREATED,
            author=author or _author_of(created_by, team),
            target=key,
            after={
                "scopes": key.scopes,
                "expires_at": key.expires_at,
                "allowed_networks": key.allowed_networks,
            },
        )
    return key, secret


def gives_staff_scopes(user: User | None) -> bool:
    """Return whether the user may grant STAFF_SCOPES.

    This requires a staff user with the permission to create keys.
    """
    return user is not None and user.is_staff and user.has_perm("jobs.add_apikey")


def team_key_revoke(*, actor: Actor, key: ApiKey) -> None:
    """Revoke a key of the actor's own team; raise PermissionDenied if the actor is not a manager of the team."""
    _require_manager(actor)
    key_revoke(key=key, author=Author.of(actor))


def key_revoke(*, key: ApiKey, author: Author | None = None) -> None:
    """Revoke a key immediately. A key that was already revoked does not change.

    author: the author of the audit entry; None means the site itself.
    """
    with transaction.atomic():
        if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
            audit_append(action=Action.KEY_REVOKED, author=author or Author(), target=key)
    key.refresh_from_db()


def key_touch(*, key: ApiKey, address: str | None = None) -> None:
    """Store the time of a key's use, at most once per minute, so that most requests write nothing.

    The first use is also recorded in the audit trail.
    address: the IP address of the client; None means that it is unknown.
    """
    now = timezone.now()
    if key.last_used_at is not None and now - key.last_used_at <= _TOUCH_EVERY:
        return
    with transaction.atomic():
        first = ApiKey.objects.filter(pk=key.pk, last_used_at=None).update(last_used_at=now) == 1
        if first:
            author = Author.of(Actor(team=key.team, key=key, address=address))
            audit_append(action=Action.KEY_FIRST_USED, author=author, target=key)
        else:
            ApiKey.objects.filter(pk=key.pk, last_used_at__lt=now - _TOUCH_EVERY).update(last_used_at=now)
    key.last_used_at = now


def networks_checked(texts: Sequence[str]) -> list[str]:
    """Return IP addresses and networks in canonical form, such as `203.0.113.5/32`.

    Raise InvalidParameter for a text that is not an address or a network.
    """
    networks = []
    for text in texts:
        try:
            networks.append(str(ipaddress.ip_network(text.strip(), strict=False)))
        except ValueError:
            raise InvalidParameter(
                f"allowed_networks: {text!r} is not an IP address or network", field="allowed_networks"
            ) from None
    return networks


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 120 or not name.isprintable():
        raise InvalidParameter("name: 1 to 120 printable characters", field="name")
    return name


def _checked_scopes(scopes: Sequence[str]) -> list[str]:
    if not scopes or set(scopes) - set(Scope.values):
        raise InvalidParameter(f"scopes: choose from {', '.join(Scope.values)}", field="scopes")
    return sorted(set(scopes))


def _checked_expiry(expires_at: dt.datetime | None) -> dt.datetime | None:
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidParameter("expires_at: is in the past", field="expires_at")
    return expires_at


def _author_of(user: User | None, team: Team) -> Author:
    return Author(team_id=team.pk, team_name=team.name) if user is None else Author.person(user, team=team)


def _require_manager(actor: Actor) -> None:
    if actor.user is None or not actor.is_manager:
        raise PermissionDenied("Only signed-in owners and admins of the team create and revoke keys.")
