"""Middleware and functions that observe web requests: request id, access log line, and metrics for each route."""

from __future__ import annotations

import logging
import os
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

from jobs.telemetry import tracing
from webserver.parking import Parked

logger = logging.getLogger("keyline.access")

if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)

HEADER = "X-Request-Id"
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}")
_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

REQUESTS = Counter("keyline_http_requests", "Finished requests.", ["api", "route", "method", "code"])
DURATIONS = Histogram("keyline_http_request_seconds", "Time until the response.", ["api", "route"], buckets=_BUCKETS_S)
COMPONENT_ERRORS = Counter("keyline_component_errors", "Requests that a component failed.", ["component"])
REFUSALS = Counter("keyline_refusals", "Requests refused by a limit.", ["api", "error"])


class RequestsMiddleware:
    """Middleware that gives each request an id, measures its duration and logs it.

    This is the first middleware, so it sees all responses.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started_s: float = request.__dict__.setdefault("keyline_started_s", time.perf_counter())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id_of(request))
        response = self._get_response(request)
        if isinstance(response, Parked):  # the request waits, and passes this point again with its response
            return response
        response.headers[HEADER] = request_id_of(request)
        _observe(request, response, time.perf_counter() - started_s)
        return response


def request_id_of(request: HttpRequest) -> str:
    """Return the id of a request: the id sent by a trusted proxy, or a new UUID.

    Later calls for the same request return the same id.
    """
    found: str | None = getattr(request, "keyline_request_id", None)
    if found is None:
        sent = request.headers.get(HEADER, "") if settings.BEHIND_PROXY else ""
        found = sent if _ACCEPTED_ID.fullmatch(sent) else str(uuid.uuid4())
        request.keyline_request_id = found  # type: ignore[attr-defined]
    return found


def bind_caller(*, team: object, key: str = "", user: object = None) -> None:
    """Add the caller's team, key and user to the log lines of this request.

    An empty `key` and a `user` of None are left out.
    """
    ids = {"team": str(team), "key": key, "user": "" if user is None else str(user)}
    structlog.contextvars.bind_contextvars(**{name: value for name, value in ids.items() if value})


def refused(*, api: str, error: str) -> None:
    """Count a request that a quota or a rate limit has rejected.

    api: the name of the API.
    error: the error code.
    """
    REFUSALS.labels(api, error).inc()


def component_failed(component: str) -> None:
    """Count a request that failed because of a fault of `component`: the database, the broker or the storage."""
    COMPONENT_ERRORS.labels(component).inc()


def _observe(request: HttpRequest, response: HttpResponse, duration_s: float) -> None:
    route, api = _route_of(request)
    method = request.method if request.method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"
    REQUESTS.labels(api, route, method, str(response.status_code)).inc()
    DURATIONS.labels(api, route).observe(duration_s)
    if request.resolver_match is not None:
        tracing.request_traced(
            request_id=request_id_of(request),
            name=f"{method} {route}",
            duration_s=duration_s,
            status=response.status_code,
            attributes={"http.request.method": method, "http.route": route, "keyline.api": api}
            | {"http.response.status_code": response.status_code},
        )
    logger.info(
        "%s %s %s",
        method,
        route,
        response.status_code,
        extra={
            "method": method,
            "route": route,
            "status": response.status_code,
            "duration_ms": round(duration_s * 1000, 1),
            "bytes": None if response.streaming else len(response.content),
        },
    )


def _route_of(request: HttpRequest) -> tuple[str, str]:
    """Return the URL pattern of the request's route, and the name of its API.

    Both are used as labels of metrics, because they have few distinct values. Paths have many.
    """
    match = request.resolver_match
    if match is None:
        return "other", "other"
    view = getattr(match.func, "view_class", getattr(match.func, "cls", match.func))
    module = getattr(view, "__module__", "").split(".")
    if module[:2] == ["jobs", "api"]:
        api = module[2] if len(module) > 3 else "site"
    else:
        api = module[1] if module[0] == "jobs" and len(module) > 1 else "site"
    return f"/{match.route}", api
