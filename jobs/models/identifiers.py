"""Check identifiers from requests before they are used in a database query."""

from __future__ import annotations

from uuid import UUID


def is_uuid(text: str) -> bool:
    """Return whether `text` has the form of a UUID."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
