"""Stages 8 and 9 in the browser: what is done with a batch or with pictures chosen in the gallery."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import View

from jobs.api.zips import zip_name, zip_response
from jobs.errors import JobNotFound
from jobs.models import Job
from jobs.sentences import explained
from jobs.teams.actor import Actor
from jobs.web.session import ButtonsOnly, TeamPage
from jobs.work.lifecycle import job_cancel, job_retry
from jobs.work.removal import images_delete
from jobs.work.selectors import images_chosen, images_of, job_get
from segmentation.errors import MattingError


class JobDeed(ButtonsOnly, TeamPage, View):
    """Do one thing to a job of the actor's and go back to its page; a refusal is shown there in words."""

    address = "site:job"

    def get(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        _job_of(self.actor, job_id)
        return super().get(request, job_id=job_id)

    def post(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        job = _job_of(self.actor, job_id)
        try:
            self.deed(job)
        except MattingError as error:
            messages.error(request, explained(error.code, error.message))
        return redirect(self.address, job_id=job_id)

    def deed(self, job: Job) -> None:
        """Do it; raise what the service raises."""
        raise TypeError(f"{type(self).__name__} does nothing")


class CancelView(JobDeed):
    def deed(self, job: Job) -> None:
        job_cancel(actor=self.actor, job=job)


class RetryView(JobDeed):
    def deed(self, job: Job) -> None:
        job_retry(actor=self.actor, job=job)


class ZipView(TeamPage, View):
    """Send all results of a job as one zip."""

    def get(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        job = _job_of(self.actor, job_id)
        return zip_response(self.actor, images_of(job), zip_name(job))


class SelectionView(ButtonsOnly, TeamPage, View):
    """Zip or delete the pictures that were chosen in the gallery."""

    address = "site:gallery"

    def post(self, request: HttpRequest) -> HttpResponseBase:
        images = images_chosen(self.actor, request.POST.getlist("image"))
        if request.POST.get("do") == "zip" and images:
            return zip_response(self.actor, images, "keyline.zip")
        if request.POST.get("do") == "delete":
            count = images_delete(actor=self.actor, images=images)
            messages.success(request, ngettext("%d picture deleted.", "%d pictures deleted.", count) % count)
            if count < len(images):
                messages.warning(request, _("Pictures of a running batch cannot be deleted until it finishes."))
        return redirect(self.address)


def _job_of(actor: Actor, job_id: UUID) -> Job:
    try:
        return job_get(actor, job_id)
    except JobNotFound:
        raise Http404 from None
