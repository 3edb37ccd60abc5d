"""Health checks, for load balancers and operators."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError

from jobs.work import queue

_DESCRIBED = ("role", "runtime", "model", "version")


def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database and the queue are reachable and a worker lives; else 503 with the failed checks.

    The hosts of the workers are shown to signed-in users only.
    """
    checks = {"database": _database_answers(), "queue": queue.is_reachable(), "worker": False}
    workers = _picture_workers() if checks["queue"] else []
    checks["worker"] = bool(workers)
    healthy = all(checks.values())
    described = ("host", *_DESCRIBED) if checks["database"] and request.user.is_authenticated else _DESCRIBED
    body = {
        "status": "ok" if healthy else "degraded",
        "checks": {name: "ok" if passed else "failed" for name, passed in checks.items()},
        "workers": [{name: worker.get(name, "") for name in described} for worker in workers],
    }
    return JsonResponse(body, status=200 if healthy else 503)


def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process runs."""
    return JsonResponse({"status": "ok"})


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _picture_workers() -> list[dict[str, object]]:
    try:
        return [worker for worker in queue.live_workers() if worker.get("role") == "pictures"]
    except (RedisError, OSError):
        return []
