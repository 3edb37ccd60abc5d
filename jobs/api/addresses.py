"""Stage 1, intake: the addresses of the APIs, where a closing slash more or less makes no difference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, re_path
from django.urls.resolvers import RoutePattern

View = Callable[..., HttpResponseBase]


class EitherWay(RoutePattern):
    """Match a route with and without a closing slash; links and the schema have the spelling that it is written in.

    Django would send a caller who forgets the slash on by a redirect, which programs follow without the body.
    """

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
        closing = "/" if self._route.endswith("/") else ""
        return super().match(path.removesuffix("/") + closing)


def address(route: str, view: View, *, name: str) -> URLPattern:
    """Give the address of a view, as `path` does, with either ending."""
    return URLPattern(EitherWay(route, name=name, is_endpoint=True), view, name=name)


def whatever_else_below(prefix: str, view: View, *, name: str) -> URLPattern:
    """Give every address below a prefix. A dialect's list ends with these, so that its own words say what is not."""
    return re_path(rf"^{prefix}(?:/[\s\S]*)?$", view, name=name)
