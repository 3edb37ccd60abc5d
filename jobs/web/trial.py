"""The trial for visitors without an account. A visitor submits one picture and sees the result."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views import View

from jobs.api.body_limits import FIELDS_BYTES, BodyLimits
from jobs.intake.sources import accept_upload
from jobs.models import Artifact
from jobs.results import storage
from jobs.results.selectors import artifact_of
from jobs.sentences import explained_error
from jobs.teams.caller import caller_of
from jobs.trial.cutouts import is_offered, trial_image, trial_limits, trial_submit
from segmentation.errors import MattingError

SESSION_KEY = "trial_job"


def _one_small_picture() -> BodyLimits:
    largest = trial_limits().max_bytes
    return BodyLimits(largest + FIELDS_BYTES, largest)


class TrialView(View):
    """View that cuts out a visitor's picture (POST) and shows the result (GET).

    The result is visible only in the browser session that sent the picture.
    """

    body_limits = staticmethod(_one_small_picture)

    def post(self, request: HttpRequest) -> HttpResponse:
        if not is_offered():
            raise Http404
        if request.user.is_authenticated:
            return redirect("site:home")
        upload = request.FILES.get("image")
        if upload is None:
            messages.error(request, _("Choose a picture first."))
            return redirect("site:home")
        caller = caller_of(request)
        try:
            source = accept_upload(upload, limits=trial_limits())
            job = trial_submit(source=source, address=caller.address, request_id=caller.request_id)
        except MattingError as error:
            messages.error(request, _(error.message) if error.http_status == 429 else explained_error(error))
            return redirect("site:home")
        request.session[SESSION_KEY] = str(job.pk)
        return redirect("site:trial")

    def get(self, request: HttpRequest) -> HttpResponse:
        job_id = request.session.get(SESSION_KEY)
        image = trial_image(job_id) if job_id else None
        if image is None:
            return render(
                request, "trial_gone.html", {"offered": is_offered() and not job_id}, status=410 if job_id else 404
            )
        cutout, preview = artifact_of(image, Artifact.Kind.CUTOUT), artifact_of(image, Artifact.Kind.PREVIEW)
        values: dict[str, Any] = {
            "image": image,
            "cutout_url": storage.link_to(cutout) if cutout else "",
            "original_url": storage.link_to(preview) if preview else "",
            "cutout": cutout,
            "signup_open": settings.MATTING_SIGNUP_OPEN,
        }
        response = render(request, "trial.html", values)
        response["Cache-Control"] = "private, no-store"
        return response
