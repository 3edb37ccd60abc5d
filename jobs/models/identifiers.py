"""Check identifiers that callers send, before they reach the database."""

from __future__ import annotations

from uuid import UUID


def is_uuid(text: str) -> bool:
    """Return whether `text` is the text of a UUID."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
