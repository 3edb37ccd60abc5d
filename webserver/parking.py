"""How a view gives its thread back while it waits: it returns `Parked`, and goes on when the awaited thing happens."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase

PARKS = "webserver.parks"
# The server calls `response.delivered`, where a response has it, once the response has reached the client.
REPORTS_DELIVERY = "webserver.reports_delivery"
GOING_ON = "webserver.going_on"


def _nothing() -> None:
    return None


class Parked(HttpResponse):
    """Stand for an answer that depends on something that has not happened yet.

    awaited: a future, or the name of what is announced, for at most `timeout_s`. go_on: gives the answer; it is called
    with the same request without its body, inside the middleware, as soon as that has happened or the time is up. Where
    META has no PARKS, the server could not park, and `go_on` waits itself. left: called in its place when the client
    has gone.
    """

    def __init__(
        self,
        *,
        awaited: str | Future[Any],
        timeout_s: float | None,
        go_on: Callable[..., HttpResponseBase],
        left: Callable[[], object] = _nothing,
    ) -> None:
        super().__init__()
        self.awaited, self.timeout_s = awaited, timeout_s
        self.go_on, self.left = go_on, left


class ParkingMiddleware:
    """Let a parked request go on, in the place of its view; stands first, so that all others see the final answer.

    Under a server that cannot park, such as Django's test client, the request waits here and holds its thread.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        while isinstance(response, Parked) and PARKS not in request.META:
            request.META[GOING_ON] = response
            response = self.get_response(request)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        parked: Parked | None = request.META.pop(GOING_ON, None)
        return None if parked is None else parked.go_on(request, *args, **kwargs)
