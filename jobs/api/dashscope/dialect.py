"""Register the DashScope-compatible API as an API dialect (an emulated vendor API)."""

from __future__ import annotations

from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from jobs.api.registry import Dialect, register
from jobs.models.dialects import DialectLimits

NAME = "dashscope"
# The limits that DashScope publishes; further tasks wait as PENDING.
LIMITS = DialectLimits(submits_per_second=2, queries_per_second=20, running_tasks=1, pending_tasks=100)


HEADERS = ("x-dashscope-async", "x-dashscope-workspace", "x-dashscope-ossresourceresolve")


def routes() -> list[URLPattern]:
    """Return the URL patterns of the DashScope-compatible API."""
    from .urls import urlpatterns

    return urlpatterns


register(Dialect(name=NAME, label=_("DashScope"), routes=routes, limits=LIMITS, request_headers=HEADERS))
