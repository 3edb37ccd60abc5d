"""404 handler: problem+json under /api/ and /files/, HTML elsewhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from jobs.errors import NotFound
from jobs.sentences import explained

_PREFIXES_OF_PROGRAMS = ("/api/", "/files/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a problem document (RFC 9457) to programs and a page to people."""
    if not request.path.startswith(_PREFIXES_OF_PROGRAMS):
        return render(request, "404.html", status=404)
    error = NotFound()
    problem = {
        "type": f"/docs/errors#{error.code}",
        "title": explained(error.code, error.public_message),
        "status": error.http_status,
        "detail": explained(error.code, error.message),
        "code": error.code,
    }
    return JsonResponse(problem, status=404, content_type="application/problem+json")
