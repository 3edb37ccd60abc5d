"""Stages 8 and 9 in the browser: what is done with a batch or with pictures chosen in the gallery."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import View

from jobs import selectors
from jobs.api.zips import zip_name, zip_response
from jobs.errors import JobNotFound
from jobs.models import Job
from jobs.sentences import explained
from jobs.services.lifecycle import job_cancel, job_retry
from jobs.services.removal import images_delete
from jobs.web.session import TeamPage
from segmentation.errors import MattingError


class JobDeed(TeamPage, View):
    """Do one thing to a job of the actor's and go back to its page; a refusal is shown there in words."""

    def post(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        try:
            self.deed(selectors.job_get(self.actor, job_id))
        except JobNotFound:
            raise Http404 from None
        except MattingError as error:
            messages.error(request, explained(error.code, error.message))
        return redirect("site:job", job_id=job_id)

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
        try:
            job = selectors.job_get(self.actor, job_id)
        except JobNotFound:
            raise Http404 from None
        return zip_response(self.actor, selectors.images_of(job), zip_name(job))


class SelectionView(TeamPage, View):
    """Zip or delete the pictures that were chosen in the gallery."""

    def post(self, request: HttpRequest) -> HttpResponseBase:
        images = selectors.images_chosen(self.actor, request.POST.getlist("image"))
        if request.POST.get("do") == "zip" and images:
            return zip_response(self.actor, images, "keyline.zip")
        if request.POST.get("do") == "delete":
            count = images_delete(actor=self.actor, images=images)
            messages.success(request, ngettext("%d picture deleted.", "%d pictures deleted.", count) % count)
            if count < len(images):
                messages.warning(request, _("Pictures of a batch that still runs stay until it has ended."))
        return redirect("site:gallery")
