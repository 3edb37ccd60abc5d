"""Content negotiation: choose the media type of the response by the types and q values of the Accept header."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from segmentation.options import Format

JSON = "application/json"
PICTURES = {"image/png": Format.PNG, "image/jpeg": Format.JPEG, "image/webp": Format.WEBP}


def preferred_type(request: Request, offers: Iterable[str]) -> str | None:
    """Return the offered media type that Accept prefers; None when Accept allows none of them.

    Of equally preferred types, the first one in `offers` is returned.
    """
    return request.get_preferred_type(list(offers))


def preferred_picture(request: Request) -> str | None:
    """Return the picture type, such as `image/png`, that Accept prefers to JSON; None when Accept prefers none."""
    found = preferred_type(request, [JSON, *PICTURES])
    return found if found in PICTURES else None


def preferred_format(request: Request) -> Format | None:
    """Return the picture format that Accept requests; None (the default format) for JSON, `image/*` and `image/png`."""
    picture = preferred_picture(request)
    return None if picture in (None, "image/png") else PICTURES[str(picture)]


class FirstRenderer(DefaultContentNegotiation):
    """Content negotiation that ignores Accept and chooses the view's first renderer (allowed by RFC 9110, 12.5.1)."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


class AlwaysJson(FirstRenderer):
    """Content negotiation of views whose first renderer is JSON."""
