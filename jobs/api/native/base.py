"""Base class of the native API's views."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.auth import request_id_of
from jobs.api.base import DialectView
from jobs.api.problem import problem_response
from jobs.models import Job
from jobs.work.admission import outlook
from segmentation.errors import InvalidParameter, MattingError

from .serializers import job_document

WAIT = OpenApiParameter("wait", int, description="Seconds to wait for the result; 0 answers at once.")


class NativeView(DialectView):
    """Answer errors as problem documents, and jobs as JSON."""

    def render_error(self, error: MattingError, request: Request | HttpRequest | None) -> Response:
        request_id = "" if request is None else request_id_of(request)
        return problem_response(error, request_id=request_id)

    def wait_s(self) -> float:
        """Read `?wait=`; raise InvalidParameter unless it is a whole number from 0 to the site's limit."""
        text = self.request.query_params.get("wait", "0") or "0"
        if not text.isdecimal() or int(text) > settings.MATTING_MAX_WAIT_S:
            raise InvalidParameter(f"wait: a whole number from 0 to {settings.MATTING_MAX_WAIT_S}", field="wait")
        return int(text)

    def answer(self, job: Job, *, pending_status: int = 202) -> Response:
        """Answer with the job, with status 200 once it has ended; 202 tells the length of the queue in headers."""
        status = 200 if job.is_terminal else pending_status
        response = Response(job_document(job, base_url=self.base_url), status=status)
        if status == 202:
            expected = outlook(team=job.team, urgency=job.urgency)
            response["X-Queue-Length"] = str(expected.length)
            response["X-Queue-Seconds"] = f"{expected.seconds:.1f}"
        return response
