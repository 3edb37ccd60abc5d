"""Signatures of webhook messages, as Standard Webhooks 1.0 defines them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections.abc import Iterable

from standardwebhooks import Webhook as Signer

SECRET_PREFIX = "whsec_"  # noqa: S105  the standard's prefix, not a secret


def new_secret() -> str:
    """Return a new signing secret: the prefix `whsec_` of Standard Webhooks, followed by 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def new_message_id() -> str:
    return f"msg_{secrets.token_hex(16)}"


def signed_headers(*, signing_secrets: Iterable[str], message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the HTTP headers of a message, with one signature for each secret.

    timestamp_s: the time of sending, in seconds since 1970.
    body: the bytes of the message, which are signed.
    """
    signed_at = dt.datetime.fromtimestamp(timestamp_s, dt.UTC)
    signatures = [Signer(secret).sign(message_id, signed_at, body.decode()) for secret in signing_secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(signatures),
    }
