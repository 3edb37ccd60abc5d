"""Register the Baidu-compatible API as an API dialect (an emulated vendor API)."""

from __future__ import annotations

from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from jobs.api.registry import Dialect, register

NAME = "baidu"


def routes() -> list[URLPattern]:
    """Return the URL patterns of the Baidu-compatible API."""
    from .urls import urlpatterns

    return urlpatterns


register(Dialect(name=NAME, label=_("Baidu"), routes=routes))
