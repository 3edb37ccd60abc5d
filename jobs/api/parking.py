"""Wait for the end of a job or of a rendering without blocking a thread.

A view that must wait returns a `Parked` response. The server keeps the connection open, and runs the view a second time
when the job or the rendering has ended, or when the waiting time is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from jobs.errors import JobCanceled, JobNotCancelable, JobNotFound, WaitTimeout, error_of
from jobs.models import Job, JobImage, Status
from jobs.teams.actor import Actor
from jobs.work import queue
from jobs.work.cancel import job_cancel
from jobs.work.selectors import images_of, job_now
from jobs.work.waiting import wait_for_job
from webserver.parking import PARKS, Parked

Then = Callable[[Job], HttpResponseBase]


class WaitingView(APIView):
    """Base class of API views that can wait, for example for the end of a job.

    The view of a waiting request runs twice. In the second run, the caller has already been authenticated and counted,
    and the body is no longer available. The function that the view passed as `then` runs instead of the handler of the
    HTTP method.
    """

    _then: Callable[[], HttpResponseBase] | None = None
    _caller: tuple[Any, Any] = (None, None)

    def when_ended(
        self, job: Job, *, timeout_s: float, then: Then, left: Callable[[], object] = lambda: None
    ) -> HttpResponseBase:
        """Wait until the job ends or `timeout_s` seconds have passed, then return `then(job)` with the current job.

        then: a function that creates the response. It can use the request, but not the request's body. Its exceptions
        are converted to responses.
        left: a function that is called instead of `then` if the client has disconnected.
        """
        if job.is_terminal or not timeout_s:
            return then(job_now(job.id))
        until = time.monotonic() + timeout_s

        def ended(has_waited: bool) -> HttpResponseBase:
            if has_waited:
                return then(job_now(job.id))
            return then(wait_for_job(job.id, timeout_s=until - time.monotonic()))

        return self._parked(queue.topic_of_job(job.id), timeout_s=timeout_s, then=ended, left=left)

    def when_done(
        self, future: Future[Any], *, then: Callable[[], HttpResponseBase], left: Callable[[], object]
    ) -> HttpResponseBase:
        """Wait until `future` is done, without a time limit, then return `then()`.

        left: a function that is called instead of `then` if the client has disconnected.
        """
        return then() if future.done() else self._parked(future, timeout_s=None, then=lambda _: then(), left=left)

    def when_announced(self, topic: str, *, timeout_s: float, then: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Wait until `topic` is announced or `timeout_s` seconds pass, then return `then()`.

        A server that cannot park requests does not wait.
        """
        return self._parked(topic, timeout_s=timeout_s, then=lambda _: then(), left=lambda: None)

    def _parked(
        self,
        awaited: str | Future[Any],
        *,
        timeout_s: float | None,
        then: Callable[[bool], HttpResponseBase],
        left: Callable[[], object],
    ) -> Parked:
        """Return a Parked response, so that the request uses no thread while it waits.

        then: a function that creates the response. Its argument is True if the server has already waited, and False if
        the function itself must wait.
        """
        self._caller = (self.request.user, self.request.auth)

        def go_on(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            self._then = partial(then, PARKS in request.META)
            return self.dispatch(request, *args, **kwargs)

        return Parked(awaited=awaited, timeout_s=timeout_s, go_on=go_on, left=left)

    def when_picture(
        self, job: Job, *, timeout_s: float, then: Callable[[JobImage], HttpResponseBase]
    ) -> HttpResponseBase:
        """Wait for the only picture of a job, then return `then(picture)`.

        The caller has no other access to the result. Therefore, when the time is over or the client has disconnected,
        `job_abandon` cancels the job if no worker has started it.

        Raise WaitTimeout after `timeout_s` seconds. Raise the picture's error if the picture failed, JobCanceled if it
        was cancelled, and JobNotFound if it was deleted.
        """
        actor: Actor = self.actor  # type: ignore[attr-defined]  # every dialect's view has one
        return self.when_ended(
            job,
            timeout_s=timeout_s,
            then=lambda ended: then(picture_of(actor=actor, job=ended)),
            left=partial(job_abandon, actor=actor, job=job),
        )

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        if isinstance(response, Parked):
            self.request = None  # type: ignore[assignment]  # the request contains the body
        return response

    def take_up(self, request: Request) -> bool:
        """Return whether this is the second run of the view for a request that waited.

        In the second run, replace the handler of the HTTP method by the function that was passed as `then`.
        """
        if self._then is None:
            return False
        then = self._then
        request.user, request.auth = self._caller
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        setattr(self, str(request.method).lower(), lambda *_, **__: then())
        return True


def picture_of(*, actor: Actor, job: Job) -> JobImage:
    """Return the only picture of a job, after the caller has waited for the job.

    If the job has not ended, cancel it if possible (see `job_abandon`) and raise WaitTimeout. Raise the picture's error
    if the picture failed, JobCanceled if it was cancelled, and JobNotFound if it was deleted.
    """
    if not job.is_terminal:
        job_abandon(actor=actor, job=job)
        raise WaitTimeout
    image = next(iter(images_of(job)), None)
    if image is None:  # deleted in the meantime
        raise JobNotFound
    match image.status:
        case Status.SUCCEEDED:
            return image
        case Status.CANCELED:
            raise JobCanceled
    raise error_of(image.error_code, image.error_message)


def job_abandon(*, actor: Actor, job: Job) -> None:
    """Cancel a job that no worker has started and whose result the caller can no longer get. The job is not charged.

    Do not cancel a job with an Idempotency-Key, because a repeated request must find it. Do not cancel a job while a
    repeated request waits for it.
    """
    if not job.idempotency_key and not Job.objects.filter(pk=job.pk, repeats__gt=0).exists():
        with suppress(JobNotCancelable, JobNotFound, Job.DoesNotExist):
            job_cancel(actor=actor, job=job, only_queued=True)
