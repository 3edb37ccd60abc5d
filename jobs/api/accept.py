"""Choose the media type of a response from the types and q values in the request's Accept header."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from segmentation.options import Format

JSON = "application/json"
PICTURES = {"image/png": Format.PNG, "image/jpeg": Format.JPEG, "image/webp": Format.WEBP}


def preferred_type(request: Request, offers: Iterable[str]) -> str | None:
    """Return the media type in `offers` that the Accept header prefers; None if the header allows none of them.

    If the header prefers several types equally, return the first of these types in `offers`.

    offers: media types such as `image/png`.
    """
    return request.get_preferred_type(list(offers))


def preferred_picture(request: Request) -> str | None:
    """Return the picture type, such as `image/png`, if the Accept header prefers it to JSON; otherwise return None."""
    found = preferred_type(request, [JSON, *PICTURES])
    return found if found in PICTURES else None


def preferred_format(request: Request) -> Format | None:
    """Return the picture format that the Accept header requests.

    Return None, which means the default format, if the header prefers JSON, `image/*` or `image/png`.
    """
    picture = preferred_picture(request)
    return None if picture in (None, "image/png") else PICTURES[str(picture)]


class FirstRenderer(DefaultContentNegotiation):
    """Content negotiation that ignores the Accept header and uses the view's first renderer.

    RFC 9110, section 12.5.1, allows a server to ignore this header.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


class AlwaysJson(FirstRenderer):
    """Content negotiation of views whose first renderer is JSON."""
