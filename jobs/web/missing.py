"""404 handler: a problem document below /api/ and /files/, an HTML page elsewhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from jobs.api.problem import MEDIA_TYPE, problem_document
from jobs.errors import NotFound

_PROGRAMS_ASK_BELOW = ("/api/", "/files/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a program with a problem document (RFC 9457), a browser with a page."""
    if not request.path.startswith(_PROGRAMS_ASK_BELOW):
        return render(request, "404.html", status=404)
    return JsonResponse(problem_document(NotFound()), status=404, content_type=MEDIA_TYPE)
