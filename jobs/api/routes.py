"""URL patterns of the APIs. They match with and without a final slash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, re_path
from django.urls.resolvers import RoutePattern

View = Callable[..., HttpResponseBase]


class SlashOptional(RoutePattern):
    """URL pattern that matches a path with and without a final slash.

    Django would redirect a request without the slash, and HTTP clients follow such a redirect without the body. Links
    and the OpenAPI document use the pattern as it is written.
    """

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
        closing = "/" if str(self).endswith("/") else ""
        return super().match(path.removesuffix("/") + closing)


def route(pattern: str, view: View, *, name: str) -> URLPattern:
    """Return the URL pattern of a view. The function works like Django's `path`, but the final slash is optional."""
    return URLPattern(SlashOptional(pattern, name=name, is_endpoint=True), view, name=name)


def catch_all(prefix: str, view: View, *, name: str) -> URLPattern:
    """Return a URL pattern that matches the path `prefix` and all paths below it.

    Use it as the last route of an API, so that a request for an unknown path gets an error in the API's format.
    """
    return re_path(rf"^{prefix}(?:/[\s\S]*)?$", view, name=name)
