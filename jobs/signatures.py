"""Sign and verify the text of links and policies (HMAC, with Django's signing module).

A signature that was made with one of the SECRET_KEY_FALLBACKS is still valid.
"""

from __future__ import annotations

from django.core import signing


def signature_of(text: str, *, salt: str) -> str:
    """Return the signature of a text, made with the current SECRET_KEY.

    Each purpose has its own salt, so a signature for one purpose is invalid for another.
    salt: the name of the purpose.
    """
    return signing.Signer(salt=salt).signature(text)


def is_signature_of(text: str, signature: str, *, salt: str) -> bool:
    """Return whether the signature is valid for the text and the salt, with SECRET_KEY or one of its fallbacks."""
    try:
        signing.Signer(salt=salt).unsign(f"{text}:{signature}")
    except signing.BadSignature:
        return False
    return True
