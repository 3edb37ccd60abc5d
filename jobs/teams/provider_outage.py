"""Show a page when the provider of a single sign-on cannot be reached, instead of an internal error."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

logger = logging.getLogger(__name__)

# allauth's views that request the provider's configuration, keys or tokens.
_VIEWS = {"openid_connect_login", "openid_connect_callback", "saml_login", "saml_finish_acs"}


class ProviderOutageMiddleware:
    """Answer 503 when a view of the sign-on gets no connection, no response in time, or an HTTP error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        match = request.resolver_match
        # The errors of requests and urllib are of this kind; those of the database and the broker are not.
        if match is None or match.url_name not in _VIEWS or not isinstance(exception, OSError):
            return None
        logger.warning("the provider of single sign-on cannot be reached: %s", exception)
        return render(request, "account/provider_unavailable.html", status=503)
