"""A page with an explanation, shown when a user signs in while the single sign-on provider cannot be reached.

Without this page, the user would see an internal error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from jobs.teams.outside_services import OutsideAway, OutsideService

logger = logging.getLogger(__name__)

# Views of allauth that request the provider's configuration, keys or tokens.
_VIEWS = {"openid_connect_login", "openid_connect_callback", "saml_login", "saml_finish_acs"}
# The errors of requests and urllib are OSErrors; those of the database and the broker are not.
provider = OutsideService(OSError)


class ProviderOutageMiddleware:
    """Middleware that returns 503 if the sign-on provider cannot be reached, is too slow, or returns an HTTP error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        if request.resolver_match is None or request.resolver_match.url_name not in _VIEWS:
            return None
        try:
            with provider.request():
                return view(request, *args, **kwargs)
        except (OSError, OutsideAway) as error:
            logger.warning("the provider of single sign-on cannot be reached: %s", error)
            return render(request, "account/provider_unavailable.html", status=503)
