"""Health checks for load balancers, orchestrators and operators.

- `/health/live` checks whether the process runs. If this check fails, restart the process.
- `/health/ready` checks whether the database, the queue and the storage are available. If this check fails, send no
  requests to the process.
- `/health` checks whether the whole site works, which needs a worker with a loaded model. The response lists the
  workers.
- `POST /health/first-picture` checks whether a worker can cut out a picture. Only `manage.py run` may call it. The
  request must have a signed header.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from jobs.api.metrics import metrics
from jobs.running import readiness
from jobs.teams.open_networks import open_networks
from jobs.work.first_picture import HEADER, is_permitted, picture_cut_out
from segmentation.errors import MattingError

_SHOWN_TO_ALL = ("role", "runtime", "model", "version", "device")
_SHOWN_TO_USERS = ("host", *_SHOWN_TO_ALL, "keyline", "beat_at", "error")


def live(request: HttpRequest) -> JsonResponse:
    """Return 200 while the process runs."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Return 200 if the site can accept submissions; otherwise 503 with the failed checks and their reasons."""
    return _response(_checks())


def health(request: HttpRequest) -> JsonResponse:
    """Return 200 if the whole site works; otherwise 503 with the failed checks and their reasons.

    Only signed-in users see the workers' hosts, Keyline versions, heartbeats and errors, and the workers without a
    model.
    """
    checks = _checks()
    workers = [] if checks["queue"] else readiness.live_workers()
    checks["worker"] = readiness.worker_problem(workers)
    known = checks["database"] is None and request.user.is_authenticated
    checks["weights"] = readiness.weights_problem(workers, with_hosts=known)
    shown = _SHOWN_TO_USERS if known else _SHOWN_TO_ALL
    listed = workers if known else [worker for worker in workers if worker.get("role") == readiness.MODEL_ROLE]
    opened = {"open_to": [str(entry) for entry in open_networks()]} if settings.MATTING_OPEN_TO else {}
    return _response(checks, workers=[{name: worker.get(name, "") for name in shown} for worker in listed], **opened)


def first_picture(request: HttpRequest) -> JsonResponse:
    """Return 200 if a worker has cut out a small test picture, and 503 if it has not.

    Return 403 if the request does not have the signed header.
    """
    if not is_permitted(request.headers.get(HEADER, "")):
        return JsonResponse({"status": "refused"}, status=403)
    try:
        length = picture_cut_out()
    except MattingError as error:
        return JsonResponse({"status": "degraded", "problems": {"picture": error.message}}, status=503)
    return JsonResponse({"status": "ok", "bytes": length})


class ProbesMiddleware:
    """Middleware that answers health checks and /metrics before the redirect to HTTPS and the check of the host name.

    This is necessary because load balancers, orchestrators and Prometheus send requests to an IP address over HTTP.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        with_user: Any = SessionMiddleware(AuthenticationMiddleware(health))
        self._probes: dict[str, Callable[[HttpRequest], HttpResponse]] = {
            "/health": with_user,
            "/health/live": live,
            "/health/ready": ready,
            "/health/first-picture": first_picture,
            "/metrics": metrics,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = self._probes.get(request.path.rstrip("/"))
        if probe is None:
            return self._get_response(request)
        allowed = ["POST"] if probe is first_picture else ["GET", "HEAD"]
        if request.method not in allowed:
            return HttpResponseNotAllowed(allowed)
        response: HttpResponse = probe(request)
        response.headers["Cache-Control"] = "no-store"
        return response


def _checks() -> dict[str, str | None]:
    return {
        "database": readiness.database_problem(),
        "queue": readiness.queue_problem(),
        "storage": readiness.storage_problem(),
    }


def _response(checks: dict[str, str | None], **more: object) -> JsonResponse:
    problems = {name: problem for name, problem in checks.items() if problem is not None}
    body = {
        "status": "degraded" if problems else "ok",
        "checks": {name: "failed" if name in problems else "ok" for name in checks},
        "problems": problems,
        **more,
    }
    return JsonResponse(body, status=503 if problems else 200)
