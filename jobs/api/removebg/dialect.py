"""Register the remove.bg-compatible API as an API dialect (an emulated vendor API)."""

from __future__ import annotations

from django.urls import URLPattern

from jobs.api.registry import Dialect, register

NAME = "removebg"


def routes() -> list[URLPattern]:
    """Return the URL patterns of the remove.bg-compatible API."""
    from .urls import urlpatterns

    return urlpatterns


HEADERS = (
    *("X-Type", "X-Width", "X-Height", "X-Max-Width", "X-Max-Height", "X-Credits-Charged"),
    *("X-Foreground-Top", "X-Foreground-Left", "X-Foreground-Width", "X-Foreground-Height"),
    *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
)
register(Dialect(name=NAME, label="remove.bg", routes=routes, response_headers=HEADERS))
