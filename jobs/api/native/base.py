"""Base class of the views of the native API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.accept import AlwaysJson
from jobs.api.auth import request_id_of
from jobs.api.base import DialectView
from jobs.api.fields import require_known
from jobs.api.problem import problem_response
from jobs.models import Job, JobImage
from jobs.work.admission import outlook
from segmentation.errors import InvalidParameter, MattingError

from .documents import ImagePageSerializer, job_document

# The query parameters of routes that return a job: the time to wait, and the page of its pictures.
JOB_QUERY = ("wait", "images_page", "images_page_size")
WAIT = OpenApiParameter("wait", int, description="Seconds to wait for the result; 0 answers at once.")
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="Repeating a request with its key makes no second job."
)


class NativeView(DialectView):
    """Base class of the views of the native API. Errors are problem documents (RFC 9457), and jobs are JSON.

    query_fields: the allowed query parameters; None: the view checks its query parameters itself.
    """

    content_negotiation_class = AlwaysJson
    query_fields: ClassVar[tuple[str, ...] | None] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.query_fields is not None:
            require_known(request.query_params, self.query_fields, kind="query parameter")

    def render_error(self, error: MattingError, request: Request | HttpRequest | None) -> Response:
        request_id = "" if request is None else request_id_of(request)
        return problem_response(error, request_id=request_id)

    def wait_s(self) -> float:
        """Return the query parameter `wait` in seconds; 0 if it is missing.

        Raise InvalidParameter if the value is not a whole number from 0 to MATTING_MAX_WAIT_S.
        """
        text = self.request.query_params.get("wait", "0") or "0"
        if not text.isdecimal() or int(text) > settings.MATTING_MAX_WAIT_S:
            raise InvalidParameter(f"wait: a whole number from 0 to {settings.MATTING_MAX_WAIT_S}", field="wait")
        return int(text)

    def answer(self, job: Job, *, pending_status: int = 202, images: Sequence[JobImage] | None = None) -> Response:
        """Return the response with a job: status 200 if the job has ended, otherwise the status `pending_status`.

        With status 202, the headers contain the job's URL, the length of the queue, and the expected number of seconds
        until the end of the job.

        images: all pictures of the job, if the caller has already read them; None: read one page of them.
        """
        shown = ImagePageSerializer(data=self._paging())
        shown.is_valid(raise_exception=True)
        page, size = shown.validated_data["images_page"], shown.validated_data["images_page_size"]
        document = job_document(job, base_url=self.base_url, page=page, page_size=size, images=images)
        headers = {}
        if document["images_next"]:
            headers["Link"] = f'<{document["images_next"]}>; rel="next"'
        status = 200 if job.is_terminal else pending_status
        if status == 202:
            headers["Location"] = self.base_url + reverse("job", kwargs={"job_id": job.pk})
            expected = outlook(team=job.team, urgency=job.urgency)
            headers |= {"X-Queue-Length": str(expected.length), "X-Queue-Seconds": f"{expected.seconds:.1f}"}
        return Response(document, status=status, headers=headers)

    def _paging(self) -> dict[str, str]:
        query = self.request.query_params
        return {name: query[name] for name in JOB_QUERY[1:] if name in query}

    def page_links(self, *, page: int, page_size: int, count: int) -> dict[str, str]:
        """Return the Link header of a list, with the URLs of the first, previous, next and last page (RFC 8288).

        The header contains only pages that exist.

        page: the number of the current page, from 1.
        count: the number of all entries of the list.
        """
        last = max(1, -(-count // page_size))
        pages = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
        query = self.request.query_params.dict()
        url = self.request.build_absolute_uri(self.request.path)
        links = [
            f'<{url}?{urlencode(query | {"page": number})}>; rel="{name}"'
            for name, number in pages.items()
            if 1 <= number <= last
        ]
        return {"Link": ", ".join(links)}
