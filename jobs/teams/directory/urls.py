"""An empty list of routes, which allauth imports for each provider.

The list is empty, because people use the site's own sign-in form.
"""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
