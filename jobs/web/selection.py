"""Actions on a job and on selected pictures: cancel, retry, download as a zip, delete, and run again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jobs.api.zips import zip_name, zip_response
from jobs.errors import JobNotFound
from jobs.models import Job
from jobs.sentences import explained_error
from jobs.teams.actor import Actor
from jobs.web.again import AgainView
from jobs.web.session import ButtonsOnly, TeamPage
from jobs.work.cancel import job_cancel
from jobs.work.removal import images_delete
from jobs.work.retry import job_retry
from jobs.work.selectors import images_chosen, images_of, job_get
from segmentation.errors import MattingError


class JobAction(TeamPage, ButtonsOnly):
    """Base class of views that run one action on a job and then redirect to the job's page.

    An error of the action is shown on that page.
    """

    page_url_name = "site:job"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _job_of(self.actor, kwargs["job_id"])
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        job = _job_of(self.actor, job_id)
        try:
            self.act(job)
        except MattingError as error:
            messages.error(request, explained_error(error))
        return redirect(self.page_url_name, job_id=job_id)

    def act(self, job: Job) -> None:
        """Run the action on the job. Subclasses must implement this method.

        If this method raises a MattingError, the job's page shows the error.
        """
        raise TypeError(f"{type(self).__name__} has no action")


class CancelView(JobAction):
    def act(self, job: Job) -> None:
        job_cancel(actor=self.actor, job=job)


class RetryView(JobAction):
    def act(self, job: Job) -> None:
        job_retry(actor=self.actor, job=job)


class ZipView(TeamPage):
    """View that returns the results of a job as one zip."""

    def get(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        job = _job_of(self.actor, job_id)
        return zip_response(self.actor, images_of(job), zip_name(job))


class SelectionView(TeamPage, ButtonsOnly):
    """View that downloads the selected pictures as a zip, deletes them, or opens the form to process them again.

    If the request contains the field `quiet`, the response to a deletion is JSON. A script sends this field after it
    has hidden the pictures.
    """

    page_url_name = "site:gallery"

    def post(self, request: HttpRequest) -> HttpResponseBase:
        images = images_chosen(self.actor, request.POST.getlist("image"))
        if request.POST.get("do") == "zip" and images:
            return zip_response(self.actor, images, "keyline.zip")
        if request.POST.get("do") == "again" and images:
            return AgainView.as_view()(request)
        if request.POST.get("do") == "delete":
            count = images_delete(actor=self.actor, images=images)
            if "quiet" in request.POST:
                return JsonResponse({"deleted": count, "kept": len(images) - count})
            messages.success(request, ngettext("%d picture deleted.", "%d pictures deleted.", count) % count)
            if count < len(images):
                messages.warning(request, _("Pictures of a running batch cannot be deleted until it finishes."))
        return redirect(self.page_url_name)


def _job_of(actor: Actor, job_id: UUID) -> Job:
    try:
        return job_get(actor, job_id)
    except JobNotFound:
        raise Http404 from None
