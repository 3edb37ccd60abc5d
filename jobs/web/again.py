"""The page that processes selected pictures again, as a new job with other settings."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from rest_framework.exceptions import ValidationError

from jobs.api.base import matting_error_of
from jobs.api.native.serializers import CutoutOptionsSerializer
from jobs.models import Job, JobImage
from jobs.sentences import explained_error
from jobs.web.gallery import Row
from jobs.web.presets import presets_for
from jobs.web.quality import quality_choices
from jobs.web.session import ButtonsOnly, TeamPage
from jobs.work.rerun import images_rerun
from jobs.work.selectors import images_chosen
from jobs.work.submission import Door
from segmentation.errors import MattingError


class AgainView(TeamPage, ButtonsOnly):
    """Page that shows the selected pictures and a form with settings. The button `run` submits them as a new job."""

    section = "gallery"
    page_url_name = "site:gallery"

    def post(self, request: HttpRequest) -> HttpResponse:
        images = images_chosen(self.actor, request.POST.getlist("image"))
        if not images:
            return redirect(self.page_url_name)
        if request.POST.get("do") != "run":
            return render(request, "again.html", self._shown(images))
        try:
            job = self._submit(request, images)
        except (MattingError, ValidationError) as exception:
            error = matting_error_of(exception)
            messages.error(request, explained_error(error))
            return render(request, "again.html", self._shown(images), status=error.http_status)
        return redirect("site:job", job_id=job.id)

    def _submit(self, request: HttpRequest, images: list[JobImage]) -> Job:
        body = CutoutOptionsSerializer(data=request.POST)
        body.is_valid(raise_exception=True)
        door = Door(dialect=Job.Dialect.WEB, urgency=Job.Urgency.INTERACTIVE)
        return images_rerun(actor=self.actor, images=images, options=body.to_options(), door=door)

    def _shown(self, images: list[JobImage]) -> dict[str, Any]:
        return self.get_context_data(
            rows=[Row(image) for image in images],
            presets=presets_for(self.user),
            qualities=quality_choices(self.actor.team),
        )
