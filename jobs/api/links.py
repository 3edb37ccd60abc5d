"""Create sources for pictures that are given by URL.

If the URL is a signed link of this site, the stored file is used. A worker downloads the pictures at other URLs.
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from django.urls import Resolver404, resolve

from jobs.errors import DownloadFailed, NotFound
from jobs.intake.sources import Source, accept_stored, accept_url
from jobs.results import storage
from jobs.results.selectors import artifact_signed
from segmentation.image import Limits

_ROUTE = "file"


def source_of_url(url: str, *, limits: Limits | None = None, field: str = "image_url") -> Source:
    """Return the source of the picture at a URL.

    For a signed link of this site, the source is the stored file; for other URLs, it is a URL to download. A link of
    this site is recognised by its signature, so any host name is accepted.

    limits: the limits that a stored file must keep; None: the limits of the site.
    field: the name of the request field, for error messages.

    Raise DownloadFailed if the link has expired or the file has been deleted. Also raise the errors of `accept_url` and
    `accept_stored`.
    """
    link = _own_link(url)
    if link is None:
        return accept_url(url, field=field)
    artifact_id, until, signature = link
    state = storage.link_state(artifact_id, until, signature)
    if state == "expired":
        raise DownloadFailed(f"{field}: the link has expired", field=field)
    if state == "invalid":
        return accept_url(url, field=field)
    try:
        artifact = artifact_signed(artifact_id)
        return accept_stored(artifact.key, name=artifact.file_name, limits=limits)
    except NotFound:
        raise DownloadFailed(f"{field}: the file of this link has been deleted", field=field) from None


def _own_link(url: str) -> tuple[UUID, str, str] | None:
    """Return the artifact id, the expiry and the signature in a file link of this site; None for other URLs."""
    try:
        parts = urlsplit(url.strip())
        match = resolve(unquote(parts.path))
    except (ValueError, Resolver404):
        return None
    query = parse_qs(parts.query)
    if match.url_name != _ROUTE or "signature" not in query:
        return None
    return match.kwargs["artifact_id"], query.get("until", [""])[0], query["signature"][0]
