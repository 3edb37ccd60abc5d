"""Answer a request when its job has ended, without holding a thread meanwhile: what views return to wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request

from jobs.api.results import job_abandon, picture_of
from jobs.models import Job, JobImage
from jobs.teams.actor import Actor
from jobs.work import queue
from jobs.work.selectors import job_now
from jobs.work.waiting import wait_for_job
from webserver.parking import PARKS, Parked

Then = Callable[[Job], HttpResponseBase]


class WaitingView:
    """Add waiting to an API view: mixed into it, before APIView.

    A view that waits is dispatched twice. The second time its caller is known and counted, its body is gone, and the
    function that it left stands in for its handler.
    """

    _then: Callable[[], HttpResponseBase] | None = None
    _caller: tuple[Any, Any] = (None, None)

    def when_ended(
        self: Any, job: Job, *, timeout_s: float, then: Then, left: Callable[[], object] = lambda: None
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
        self: Any, future: Future[Any], *, then: Callable[[], HttpResponseBase], left: Callable[[], object]
    ) -> HttpResponseBase:
        """Answer by `then` when a future is done, which is certain to happen; `left` as in `when_ended`."""
        return then() if future.done() else self._parked(future, timeout_s=None, then=lambda _: then(), left=left)

    def _parked(
        self: Any,
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
        self: Any, job: Job, *, timeout_s: float, then: Callable[[JobImage], HttpResponseBase]
    ) -> HttpResponseBase:
        """Answer by `then`, called with the only picture of a job, once it is cut out; raise what went wrong with it.

        Raises JobCanceled, JobNotFound, and WaitTimeout when `timeout_s` has run out. The caller has no other way to
        the result: when it has gone, or the time is up, a job that no worker has begun is cancelled.
        """
        actor: Actor = self.actor
        return self.when_ended(
            job,
            timeout_s=timeout_s,
            then=lambda ended: then(picture_of(actor=actor, job=ended)),
            left=partial(job_abandon, actor=actor, job=job),
        )

    def dispatch(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        if isinstance(response, Parked):
            self.request = None  # it holds the body
        return response

    def take_up(self: Any, request: Request) -> bool:
        """Put what the view left in the place of its handler; return False when this is the request's beginning."""
        if self._then is None:
            return False
        then = self._then
        request.user, request.auth = self._caller
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        setattr(self, request.method.lower(), lambda *_, **__: then())
        return True
