"""The page of one picture with its editor, and the page of a batch with its progress."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.views.generic import TemplateView
from django_htmx.http import HttpResponseStopPolling

from jobs.api.native.documents import job_document, versions_document
from jobs.errors import JobNotFound, NotFound
from jobs.models import Job
from jobs.versions.selectors import FIRST, run_image_of
from jobs.web.presets import presets_for
from jobs.web.quality import quality_choices
from jobs.web.session import FragmentPage, TeamPage, htmx_of
from jobs.work.abilities import has_fine_model, takes_points
from jobs.work.selectors import image_at, images_of, job_get


class JobPage(TeamPage):
    """Load the job, if the actor may see it."""

    section = "gallery"

    def job(self) -> Job:
        try:
            return job_get(self.actor, self.kwargs["job_id"])
        except JobNotFound:
            raise Http404 from None


class PictureView(JobPage, TemplateView):
    """Show one picture in the editor. The editor's script receives the job in the API's JSON shape."""

    template_name = "picture.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the picture; a correction has no page of its own, so its address leads to the picture it corrects."""
        entry = self.job().corrects
        if entry is not None:
            return redirect("site:picture", job_id=entry.job_id, position=entry.position)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        job = self.job()
        try:
            image = image_at(job, self.kwargs.get("position"))
        except NotFound:
            raise Http404 from None
        version = image.shown_version
        run = version.run if version is not None and version.run is not None else job
        shown = run_image_of(image, version)
        return super().get_context_data(
            job=job,
            image=image,
            entry={"job": str(job.id), "position": image.position, "image": str(image.id)},
            image_id=str(shown.id),
            edit_json={"version": version.number if version else FIRST, "edit": image.edit or {}},
            presets=presets_for(self.user),
            takes_points=takes_points(),
            has_fine=has_fine_model(),
            qualities=quality_choices(self.actor.team),
            versions_json=versions_document(image, base_url=""),
            job_json=job_document(run, base_url="", images=[shown]),
            **values,
        )


class JobView(JobPage, FragmentPage):
    """Show a batch with its progress; for a job with one picture, show that picture's page."""

    template_name = "batch.html"
    fragment_name = "components/batch_progress.html"

    def get(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:  # type: ignore[override]
        if htmx_of(request):
            return self._progress(request, job_id)
        if self.job().images_total == 1:
            return PictureView.as_view()(request, job_id=job_id)
        return super().get(request, job_id=job_id)

    def _progress(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        """Return the progress for the polling batch page.

        For a missing job the status is 286, which stops htmx's polling.
        """
        try:
            return super().get(request, job_id=job_id)
        except (Http404, PermissionDenied):
            gone = render_to_string("components/batch_gone.html", request=request)
            return HttpResponseStopPolling(gone)

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        job = self.job()
        finished = [image for image in job.images.all() if image.is_terminal]
        return super().get_context_data(job=job, images=images_of(job), finished=len(finished), **values)
