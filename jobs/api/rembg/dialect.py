"""Registration of the rembg dialect."""

from __future__ import annotations

from django.urls import URLPattern

from jobs.api.registry import Dialect, register

NAME = "rembg"


def routes() -> list[URLPattern]:
    """Return the dialect's URL patterns."""
    from .urls import urlpatterns

    return urlpatterns


register(Dialect(name=NAME, label="rembg", routes=routes))
