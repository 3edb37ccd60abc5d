"""Stage 1, intake: make and revoke API keys; a secret is shown once and stored as a hash."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils import timezone

from jobs.models import ApiKey, Scope, Team
from segmentation.errors import InvalidParameter

SECRET_PREFIX = "kl_"  # noqa: S105  it marks our secrets for scanners, it is none itself
DEFAULT_SCOPES = (Scope.SUBMIT, Scope.READ)
_TOUCH_EVERY = dt.timedelta(minutes=1)


def key_create(
    *,
    team: Team,
    name: str,
    scopes: Sequence[str] = DEFAULT_SCOPES,
    created_by: User | None = None,
    expires_at: dt.datetime | None = None,
    allowed_networks: Sequence[str] = (),
) -> tuple[ApiKey, str]:
    """Make a key; the second value is its secret, which is never to be had again."""
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown or not scopes:
        raise InvalidParameter(f"scopes: choose from {', '.join(Scope.values)}", field="scopes")
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        team=team,
        name=name,
        public_id=secrets.token_hex(12),
        secret_hash=ApiKey.hash_of(secret),
        scopes=sorted(set(scopes)),
        created_by=created_by,
        expires_at=expires_at,
        allowed_networks=list(allowed_networks),
    )
    return key, secret


def key_revoke(*, key: ApiKey) -> None:
    """Close a key at once."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    key.refresh_from_db()


def key_touch(*, key: ApiKey) -> None:
    """Note that a key was used, at most once a minute, so that reading does not become writing."""
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > _TOUCH_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        key.last_used_at = now
