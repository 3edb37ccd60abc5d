"""Signatures of links and policies (HMAC, by Django's signing module).

A signature that was made with one of SECRET_KEY_FALLBACKS is still valid.
"""

from __future__ import annotations

from django.core import signing


def signature_of(text: str, *, salt: str) -> str:
    """Return the signature of a text, made with the current key. salt: what it is for; each use has its own."""
    return signing.Signer(salt=salt).signature(text)


def is_signature_of(text: str, signature: str, *, salt: str) -> bool:
    """Return whether the signature was made for the text and `salt` with the current key or one of its fallbacks."""
    try:
        signing.Signer(salt=salt).unsign(f"{text}:{signature}")
    except signing.BadSignature:
        return False
    return True
