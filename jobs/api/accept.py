"""Content negotiation: choose a media type for the response by the types and q values of Accept."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from segmentation.options import Format

JSON = "application/json"
PICTURES = {"image/png": Format.PNG, "image/jpeg": Format.JPEG, "image/webp": Format.WEBP}


def preferred_type(request: Request, offers: Iterable[str]) -> str | None:
    """Return the offered type that Accept prefers, the first of equally preferred ones; None when it accepts none."""
    return request.get_preferred_type(list(offers))


def preferred_picture(request: Request) -> str | None:
    """Return the picture type that Accept prefers to JSON; None when the request prefers JSON."""
    found = preferred_type(request, [JSON, *PICTURES])
    return found if found in PICTURES else None


def preferred_format(request: Request) -> Format | None:
    """Return the format that Accept names; None, the default format, for JSON, `image/*` and `image/png`."""
    picture = preferred_picture(request)
    return None if picture in (None, "image/png") else PICTURES[str(picture)]


class AlwaysJson(DefaultContentNegotiation):
    """Respond with JSON, or with the route's file, whatever Accept names (RFC 9110 allows that)."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type
