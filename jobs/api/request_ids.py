"""Middleware that puts the request's id on every response."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from jobs.teams.caller import caller_of

HEADER = "X-Request-Id"


class RequestIdMiddleware:
    """Add `X-Request-Id`: the id that logs, error messages and the audit trail give the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response.headers.setdefault(HEADER, caller_of(request).request_id)
        return response
