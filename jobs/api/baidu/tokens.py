"""Baidu-compatible API: create and check access tokens. A token represents an API key and is valid for 30 days.

Tokens are signed, so the site does not store them.
"""

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
    """Check the id and the secret of an API key, and return the key with a new access token.

    Older access tokens of the key stay valid. Raise AuthenticationRequired with the field `client_id` for an unknown
    id, and with the field `client_secret` for a wrong secret or an inactive key.
    """
    key = key_by_public_id(public_id)
    if key is None:
        raise AuthenticationRequired("unknown client id", field="client_id")
    if not constant_time_compare(ApiKey.hash_of(secret), key.secret_hash) or not key.is_active:
        raise AuthenticationRequired("Client authentication failed", field="client_secret")
    return key, _signer().sign(f"{key.public_id}.{secrets.token_urlsafe(12)}")


def key_of_token(token: str) -> ApiKey:
    """Return the API key for which an access token was created.

    The key may be inactive; `key_admitted` checks this later. Raise TokenExpired for a token older than TOKEN_TTL_S
    seconds. Raise AuthenticationRequired for an invalid token or a deleted key.
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
