"""The site's own signed links as sources: such a URL is read from the storage, not downloaded."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from django.urls import Resolver404, resolve

from jobs.errors import LinkExpired
from jobs.intake.sources import Source, accept_stored, accept_url
from jobs.results import storage
from jobs.results.selectors import artifact_signed
from segmentation.image import Limits

_ROUTE = "file"


def source_of_url(url: str, *, limits: Limits | None = None, field: str = "image_url") -> Source:
    """Return the source that a URL names: a stored file for a signed link of this site, otherwise a URL to download.

    The signature alone decides: it proves that the link is ours, whatever the host name in it. Raises LinkExpired for
    an expired link, NotFound for a deleted file, and what `accept_url` raises.
    """
    link = _own_link(url)
    if link is None:
        return accept_url(url)
    artifact_id, until, signature = link
    state = storage.link_state(artifact_id, until, signature)
    if state == "expired":
        raise LinkExpired(f"{field}: the link has expired", field=field)
    if state == "invalid":
        return accept_url(url)
    artifact = artifact_signed(artifact_id)
    return accept_stored(artifact.key, name=artifact.file_name, limits=limits)


def _own_link(url: str) -> tuple[UUID, str, str] | None:
    """Return the artifact's id, the expiry and the signature in a URL with the path of a file; None for others."""
    try:
        parts = urlsplit(url.strip())
        match = resolve(unquote(parts.path))
    except (ValueError, Resolver404):
        return None
    query = parse_qs(parts.query)
    if match.url_name != _ROUTE or "signature" not in query:
        return None
    return match.kwargs["artifact_id"], query.get("until", [""])[0], query["signature"][0]
