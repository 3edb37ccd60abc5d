"""Registration of the Baidu-compatible API (a dialect of this site)."""

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
