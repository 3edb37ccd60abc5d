"""Registration of the Baidu dialect."""

from __future__ import annotations

from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from jobs.api.registry import Dialect, register

NAME = "baidu"


def routes() -> list[URLPattern]:
    """Return the dialect's URL patterns."""
    from .urls import urlpatterns

    return urlpatterns


register(Dialect(name=NAME, label=_("Baidu"), routes=routes))
