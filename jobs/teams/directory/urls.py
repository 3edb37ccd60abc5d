"""An empty list of routes, because people use the site's own sign-in form. allauth imports it for each provider."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
