"""Baidu-compatible API: access tokens, each valid for a key for 30 days. Tokens are signed and not stored."""

from __future__ import annotations

import secrets

from django.core import signing
from django.utils.crypto import constant_time_compare

from jobs.errors import AuthenticationRequired
from jobs.models import ApiKey
from jobs.teams.selectors import key_by_public_id

from .errors import TokenExpired

TOKEN_TTL_S = 30 * 24 * 3600
_SALT = "keyline.token"


def token_issue(*, public_id: str, secret: str) -> tuple[ApiKey, str]:
    """Return the key with this public id and secret, and a new access token. Older tokens stay valid.

    Raise AuthenticationRequired for an unknown id (field `client_id`), or for a wrong secret or an inactive key (field
    `client_secret`).
    """
    key = key_by_public_id(public_id)
    if key is None:
        raise AuthenticationRequired("unknown client id", field="client_id")
    if not constant_time_compare(ApiKey.hash_of(secret), key.secret_hash) or not key.is_active:
        raise AuthenticationRequired("Client authentication failed", field="client_secret")
    return key, _signer().sign(f"{key.public_id}.{secrets.token_urlsafe(12)}")


def key_of_token(token: str) -> ApiKey:
    """Return the key of an access token. `key_admitted` checks later whether the key is active.

    Raise TokenExpired for a token older than TOKEN_TTL_S seconds, and AuthenticationRequired for an invalid token or a
    deleted key.
    """
    try:
        value = _signer().unsign(token, max_age=TOKEN_TTL_S)
    except signing.SignatureExpired:
        raise TokenExpired from None
    except signing.BadSignature:
        raise AuthenticationRequired("The access token is invalid.") from None
    key = key_by_public_id(value.partition(".")[0])
    if key is None:
        raise AuthenticationRequired("The access token's key was deleted.")
    return key


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=_SALT, sep=".")
