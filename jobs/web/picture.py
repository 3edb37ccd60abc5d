"""The page of one picture with its editor, and the page of a batch with its progress."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.generic import TemplateView
from django_htmx.http import HttpResponseStopPolling

from jobs.errors import JobNotFound, NotFound
from jobs.models import Artifact, Job, JobImage
from jobs.results import storage
from jobs.results.selectors import artifact_of
from jobs.sentences import explained
from jobs.web.presets import presets_for
from jobs.web.session import FragmentPage, TeamPage, htmx_of
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
    """Show one picture: before and after, boxes, brush, settings, files."""

    template_name = "picture.html"

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        job = self.job()
        try:
            image = image_at(job, self.kwargs.get("position"))
        except NotFound:
            raise Http404 from None
        return super().get_context_data(
            job=job,
            image=image,
            presets=presets_for(self.user),
            state=picture_state(job, image),
            **values,
        )


class JobView(JobPage, FragmentPage):
    """Show a batch with its progress; for a job of one picture, show that picture's page."""

    template_name = "batch.html"
    fragment_name = "components/batch_progress.html"

    def get(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:  # type: ignore[override]
        if htmx_of(request):
            return self._progress(request, job_id)
        if self.job().images_total == 1:
            return PictureView.as_view()(request, job_id=job_id)
        return super().get(request, job_id=job_id)

    def _progress(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        """Return the progress that the batch's page polls. For a missing job, 286 ends the polling; 404 would not."""
        try:
            return super().get(request, job_id=job_id)
        except (Http404, PermissionDenied):
            gone = render_to_string("components/batch_gone.html", request=request)
            return HttpResponseStopPolling(gone)

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        job = self.job()
        ended = [image for image in job.images.all() if image.is_terminal]
        return super().get_context_data(job=job, images=images_of(job), ended=len(ended), **values)


def picture_state(job: Job, image: JobImage) -> dict[str, Any]:
    """Return what the editor's script needs: ids, sizes, options, people and URLs."""
    return {
        "job": str(job.id),
        "alone": job.images_total == 1,
        "image": str(image.id),
        "position": image.position,
        "status": image.status,
        "error": explained(image.error_code, image.error_message),
        "name": image.name,
        "width": image.width,
        "height": image.height,
        "options": job.options,
        "foreground": image.foreground,
        "people": image.instances,
        "source": _link(image, Artifact.Kind.SOURCE),
        "cutout": _link(image, Artifact.Kind.CUTOUT),
        "visualization": _link(image, Artifact.Kind.VISUALIZATION),
        "urls": {
            "job": reverse("job", args=[job.id]),
            "variants": reverse("job-variants", args=[job.id]),
            "again": reverse("job-again", args=[job.id]),
            "cancel": reverse("job-cancel", args=[job.id]),
        },
    }


def _link(image: JobImage, kind: str) -> str:
    artifact = artifact_of(image, kind)
    return storage.link_to(artifact) if artifact else ""
