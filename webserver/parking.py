"""Views that release their thread while they wait. Such a view returns `Parked`, and continues after the awaited event.

The keys PARKS, GOING_ON and REPORTS_DELIVERY of a request's META say what the server can do.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase

PARKS = "webserver.parks"
# The server calls `response.delivered`, if the response has it, when the response has reached the client.
REPORTS_DELIVERY = "webserver.reports_delivery"
GOING_ON = "webserver.going_on"


def _nothing() -> None:
    return None


class Parked(HttpResponse):
    """A placeholder for a response that depends on a future event.

    If META has no PARKS, the server cannot park requests, and `go_on` must wait for the event.

    awaited: a future, or the name of a topic under which the event is announced.
    timeout_s: the longest wait in seconds; None for no limit.
    go_on: the function that returns the response. It is called after the event or the timeout, inside the middleware,
    with the same request without its body.
    left: a function that is called instead of `go_on` if the client has disconnected.
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
    """Middleware that continues a parked request instead of calling its view.

    It is the first middleware, so that the others see the final response. If the server cannot park requests, as with
    Django's test client, the request waits here and keeps its thread.
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
