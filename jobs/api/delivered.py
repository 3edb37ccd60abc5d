"""Record which responses have reached the client.

Until the response to a submission is delivered, a repeated equal request gets the same job.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request

from jobs.work.repeats import jobs_delivered, submissions_noted
from webserver.parking import REPORTS_DELIVERY, Parked

# META keeps the values whose names begin with `keyline.` while a request waits.
_SUBMITTED = "keyline.submitted"
_FAILED = "keyline.answer_failed"


def answer_failed(request: Request | HttpRequest | None) -> None:
    """Mark a request whose response reports a fault of the site, so that its jobs do not count as delivered.

    The mark is necessary because some APIs report such a fault with HTTP status 200. If `request` is None, do nothing.
    """
    if request is not None:
        request.META[_FAILED] = True


class DeliveredMiddleware:
    """Middleware that calls `jobs_delivered` for the jobs of a request when the client has received the response.

    A response that reports a fault of the site does not count as delivered. If the server cannot report the delivery
    (it does not set REPORTS_DELIVERY), a response counts as delivered when it is created.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with submissions_noted() as noted:
            response = self.get_response(request)
        job_ids: list[UUID] = [*request.META.get(_SUBMITTED, ()), *noted]
        if not job_ids:
            return response
        request.META[_SUBMITTED] = job_ids
        if isinstance(response, Parked) or response.status_code >= 500 or request.META.get(_FAILED):
            return response
        deliver = partial(jobs_delivered, job_ids)
        if request.META.get(REPORTS_DELIVERY):
            response.delivered = deliver  # type: ignore[attr-defined]
        else:
            deliver()
        return response
