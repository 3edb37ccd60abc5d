"""The handler for HTTP status 404. It returns JSON under /api/ and /files/, and HTML for other paths."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from jobs.api.auth import request_id_of
from jobs.api.problem import MEDIA_TYPE, problem_document
from jobs.errors import NotFound

_PREFIXES_OF_PROGRAMS = ("/api/", "/files/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a problem document (RFC 9457) for paths of APIs and files, and an HTML page for other paths.

    The status is 404.
    """
    if not request.path.startswith(_PREFIXES_OF_PROGRAMS):
        return render(request, "404.html", status=404)
    problem = problem_document(NotFound(), request_id=request_id_of(request))
    return JsonResponse(problem, status=404, content_type=MEDIA_TYPE)
