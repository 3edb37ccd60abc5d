"""The start page, on which users upload pictures."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView
from rest_framework.exceptions import ValidationError

from jobs.api.base import matting_error_of
from jobs.api.body_limits import each_picture_by_itself
from jobs.api.native.serializers import CutoutOptionsSerializer
from jobs.intake.sources import accept_upload
from jobs.models import Job
from jobs.recipes.selectors import recipe_named, recipes_of
from jobs.sentences import explained_error
from jobs.teams.caller import caller_of
from jobs.trial.cutouts import is_offered, trial_limits
from jobs.web import words
from jobs.web.presets import presets_for
from jobs.web.quality import quality_choices
from jobs.web.session import ButtonsOnly, TeamPage, actor_of
from jobs.work.selectors import images_recent
from jobs.work.submission import Door, job_submit
from segmentation.errors import MattingError

RECENT = 12
DEMOS = ("portrait", "cat")  # static/samples/<name>-before.webp and -after.webp, on the welcome page
SAMPLES = ("cat", "portrait", "cup")  # static/samples/<name>.webp, the samples of the upload area


def limits_shown() -> dict[str, int]:
    """Return the site's limits for pictures in the units of the start page and its script.

    The values are the file size in bytes and in megabytes, the picture size in megapixels, and the number of pictures.
    """
    return {
        "max_bytes": settings.MATTING_MAX_IMAGE_BYTES,
        "max_megabytes": settings.MATTING_MAX_IMAGE_BYTES // 2**20,
        "max_megapixels": settings.MATTING_MAX_IMAGE_PIXELS // 1_000_000,
        "max_images": settings.MATTING_MAX_IMAGES_PER_JOB,
    }


class StudioView(TemplateView):
    """Page with the upload area for signed-in users. Signed-out visitors get the welcome page instead."""

    def get_template_names(self) -> list[str]:
        return ["home.html"] if self.request.user.is_authenticated else ["welcome.html"]

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        values |= {"section": "studio", "limits": limits_shown(), "signup_open": settings.MATTING_SIGNUP_OPEN}
        values["samples"] = SAMPLES if self.request.user.is_authenticated else DEMOS
        values["trial_limits"] = trial_limits() if is_offered() else None
        if self.request.user.is_authenticated:
            actor = actor_of(self.request)
            values["max_pixels"] = words.pixels_said(settings.MATTING_MAX_IMAGE_PIXELS)
            values["presets"] = presets_for(caller_of(self.request).user)
            values["qualities"] = quality_choices(actor.team)
            values["recipes"] = recipes_of(actor)
            values["recent"] = images_recent(actor, RECENT)
        return super().get_context_data(**values)


class SubmitView(TeamPage, ButtonsOnly):
    """View that submits the upload form of a browser without scripts, and redirects to the page of the new job."""

    body_limits = staticmethod(each_picture_by_itself)
    page_url_name = "site:home"

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            job = self._submit(request)
        except (MattingError, ValidationError) as exception:
            error = matting_error_of(exception)
            messages.error(request, explained_error(error))
            return redirect(self.page_url_name)
        return redirect("site:job", job_id=job.id)

    def _submit(self, request: HttpRequest) -> Job:
        body = CutoutOptionsSerializer(data=request.POST)
        body.is_valid(raise_exception=True)
        return job_submit(
            actor=self.actor,
            door=Door(dialect=Job.Dialect.WEB, urgency=Job.Urgency.INTERACTIVE),
            options=body.to_options(),
            sources=[accept_upload(file) for file in request.FILES.getlist("image")],
            recipes=[recipe_named(self.actor, name) for name in request.POST.getlist("recipe") if name],
        )
