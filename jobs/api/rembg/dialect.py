"""Register the rembg-compatible API as an API dialect (an emulated vendor API)."""

from __future__ import annotations

from django.urls import URLPattern

from jobs.api.registry import Dialect, register

NAME = "rembg"


def routes() -> list[URLPattern]:
    """Return the URL patterns of the rembg-compatible API."""
    from .urls import urlpatterns

    return urlpatterns


register(Dialect(name=NAME, label="rembg", routes=routes))
