"""Answer a request when its job has ended, without holding a thread meanwhile: what views return to wait."""

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
    """Let an API view wait.

    A view that waits is dispatched twice. The second time its caller is known and counted, its body is gone, and the
    function that it left stands in for its handler.
    """

    _then: Callable[[], HttpResponseBase] | None = None
    _caller: tuple[Any, Any] = (None, None)

    def when_ended(
        self, job: Job, *, timeout_s: float, then: Then, left: Callable[[], object] = lambda: None
    ) -> HttpResponseBase:
        """Answer by `then`, called with the job as it stands when it has ended or after `timeout_s`.

        `then` is called on this view with the same request, but without its body; what it raises is rendered as what a
        handler raises is. left: called instead when the client has gone.
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
        """Answer by `then` when a future is done, which is certain to happen; `left` as in `when_ended`."""
        return then() if future.done() else self._parked(future, timeout_s=None, then=lambda _: then(), left=left)

    def _parked(
        self,
        awaited: str | Future[Any],
        *,
        timeout_s: float | None,
        then: Callable[[bool], HttpResponseBase],
        left: Callable[[], object],
    ) -> Parked:
        """Park the request; `then` is called with whether it has waited: a server that cannot park leaves it to it."""
        self._caller = (self.request.user, self.request.auth)

        def go_on(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            self._then = partial(then, PARKS in request.META)
            return self.dispatch(request, *args, **kwargs)

        return Parked(awaited=awaited, timeout_s=timeout_s, go_on=go_on, left=left)

    def when_picture(
        self, job: Job, *, timeout_s: float, then: Callable[[JobImage], HttpResponseBase]
    ) -> HttpResponseBase:
        """Answer by `then`, called with the only picture of a job, once it is cut out; raise what went wrong with it.

        Raises JobCanceled, JobNotFound, and WaitTimeout when `timeout_s` has run out. The caller has no other way to
        the result: when it has gone, or the time is up, a job that no worker has begun is cancelled.
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
            self.request = None  # type: ignore[assignment]  # it holds the body
        return response

    def take_up(self, request: Request) -> bool:
        """Put what the view left in the place of its handler; return False when this is the request's beginning."""
        if self._then is None:
            return False
        then = self._then
        request.user, request.auth = self._caller
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        setattr(self, str(request.method).lower(), lambda *_, **__: then())
        return True


def picture_of(*, actor: Actor, job: Job) -> JobImage:
    """Return the only picture of a job that was waited for; raise the picture's error, JobCanceled or JobNotFound.

    Raises WaitTimeout for a job that has not ended, which is given up (see `job_abandon`).
    """
    if not job.is_terminal:
        job_abandon(actor=actor, job=job)
        raise WaitTimeout
    image = next(iter(images_of(job)), None)
    if image is None:  # deleted a moment ago
        raise JobNotFound
    match image.status:
        case Status.SUCCEEDED:
            return image
        case Status.CANCELED:
            raise JobCanceled
    raise error_of(image.error_code, image.error_message)


def job_abandon(*, actor: Actor, job: Job) -> None:
    """Cancel, without a charge, a job that no worker has begun; its caller has no other way to the result.

    A job with an Idempotency-Key is kept, as the repeated request finds it, and one that a repetition waits for.
    """
    if not job.idempotency_key and not Job.objects.filter(pk=job.pk, repeats__gt=0).exists():
        with suppress(JobNotCancelable, JobNotFound, Job.DoesNotExist):
            job_cancel(actor=actor, job=job, only_queued=True)
