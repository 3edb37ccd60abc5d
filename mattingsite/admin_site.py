"""The admin site. It uses the sign-in of the other pages, and the Content-Security-Policy that its theme needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import secure_admin_login
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

# The theme's Alpine.js builds functions from attributes, and its colours are in a style element.
_THEME_NEEDS = {"script-src": "'unsafe-eval'", "style-src": "'unsafe-inline'"}


class KeylineAdminSite(UnfoldAdminSite):
    index_title = _("Dashboard")

    def admin_view(
        self, view: Callable[..., HttpResponseBase], cacheable: bool = False
    ) -> Callable[..., HttpResponseBase]:
        return csp_update(_THEME_NEEDS)(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the site's sign-in page, with its lock-out and second factor; reject users who are not staff."""
        return secure_admin_login(super().login)(request, extra_context=extra_context)
