"""Register the UNet matting API as an API dialect (an emulated vendor API)."""

from __future__ import annotations

from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from jobs.api.registry import Dialect, register

NAME = "unet"


def routes() -> list[URLPattern]:
    """Return the URL patterns of the UNet matting API."""
    from .urls import urlpatterns

    return urlpatterns


register(Dialect(name=NAME, label=_("UNet"), routes=routes))
