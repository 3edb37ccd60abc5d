"""URL patterns of the APIs. They match with and without a final slash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, re_path
from django.urls.resolvers import RoutePattern

View = Callable[..., HttpResponseBase]


class SlashOptional(RoutePattern):
    """Route pattern that matches with and without a final slash. Links and the schema use the route as written.

    Django would redirect a request without the slash, and HTTP clients follow such a redirect without the body.
    """

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
        closing = "/" if str(self).endswith("/") else ""
        return super().match(path.removesuffix("/") + closing)


def route(pattern: str, view: View, *, name: str) -> URLPattern:
    """Return the URL pattern of a view, like Django's `path`, but with an optional final slash."""
    return URLPattern(SlashOptional(pattern, name=name, is_endpoint=True), view, name=name)


def catch_all(prefix: str, view: View, *, name: str) -> URLPattern:
    """Return a URL pattern that matches the path `prefix` and each path below it.

    It is the last route of a dialect, so that an unknown path gets the dialect's error.
    """
    return re_path(rf"^{prefix}(?:/[\s\S]*)?$", view, name=name)
