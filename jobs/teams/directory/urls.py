"""No routes: people use the site's own sign-in form. allauth imports this module for every provider."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
