"""Stage 9, rendering: the answer to an address that no door has, in the words of whoever asks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from jobs.errors import NotFound
from jobs.sentences import explained

_PROGRAMS_ASK_BELOW = ("/api/", "/files/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Give a program a problem document (RFC 9457), a person a page."""
    if not request.path.startswith(_PROGRAMS_ASK_BELOW):
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
