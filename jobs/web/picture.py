"""The page of one picture with the editor, and the page of a job with many pictures and its progress."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.generic import TemplateView
from django_htmx.http import HttpResponseStopPolling

from jobs.api.native.documents import job_document, versions_document
from jobs.errors import JobNotFound, NotFound
from jobs.inference.quality import fine_roles
from jobs.models import Job, Team
from jobs.pixels import PROCESS_FAILED
from jobs.recipes.builtin import canvas_sizes, id_photos
from jobs.recipes.selectors import backgrounds_of, recipes_of
from jobs.results.originals import original_small
from jobs.teams.caller import caller_of
from jobs.versions.selectors import FIRST, run_image_of
from jobs.web.gallery import Row
from jobs.web.presets import presets_for
from jobs.web.session import FragmentPage, TeamPage, htmx_of
from jobs.work.abilities import has_fine_model, takes_points
from jobs.work.selectors import image_at, image_get, images_of, job_get, jobs_of, positions_beside
from segmentation.errors import MattingError
from segmentation.finish.recipe import MAX_SIDE_PX

EDITOR_WAIT_S = 20  # the longest wait of one request of the editor


class JobPage(TeamPage):
    """Base class of pages about one job. It loads the job if the user may see the job."""

    section = "gallery"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the page. If the job belongs to another team of the user, offer to switch to that team instead."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except Http404:
            team = self._team_elsewhere()
            if team is None or htmx_of(request):
                raise
            return render(request, "elsewhere.html", {"other_team": team}, status=404)

    def job(self) -> Job:
        try:
            return job_get(self.actor, self.kwargs["job_id"])
        except JobNotFound:
            raise Http404 from None

    def _team_elsewhere(self) -> Team | None:
        caller = caller_of(self.request)
        for membership in caller.memberships:
            actor = replace(self.actor, team=membership.team, membership=membership)
            if actor.team != self.actor.team and jobs_of(actor).filter(pk=self.kwargs["job_id"]).exists():
                return membership.team
        return None


class PictureView(JobPage, TemplateView):
    """Page that shows one picture in the editor.

    The editor's script gets the same JSON of the job that the native API returns.
    """

    template_name = "picture.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the page of a picture.

        A correction (a new run of the model on a picture) has no page, so its URL redirects to the corrected picture.
        """
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
        before, after = positions_beside(image) if job.images_total > 1 else (None, None)
        version = image.shown_version
        run = version.run if version is not None and version.run is not None else job
        shown = run_image_of(image, version)
        return super().get_context_data(
            job=job,
            image=image,
            position_before=before,
            position_after=after,
            entry={"job": str(job.id), "position": image.position, "image": str(image.id)},
            image_id=str(shown.id),
            wait_seconds=min(EDITOR_WAIT_S, settings.MATTING_MAX_WAIT_S),
            edit_json={"version": version.number if version else FIRST, "edit": image.edit or {}},
            presets=presets_for(self.user),
            takes_points=takes_points(),
            has_fine=has_fine_model(),
            fine_roles=fine_roles(),
            recipes=recipes_of(self.actor),
            canvas_sizes=canvas_sizes(),
            id_photos=id_photos(),
            longest_side_px=MAX_SIDE_PX,
            backgrounds=backgrounds_of(self.actor),
            job_recipes=[named["name"] for named in job.recipes],
            versions_json=versions_document(image, base_url=""),
            job_json=job_document(run, base_url="", images=[shown]),
            **values,
        )


class OriginalView(TeamPage):
    """View that returns a small copy of the uploaded picture, for lists of pictures."""

    def get(self, request: HttpRequest, image_id: UUID) -> HttpResponseBase:
        try:
            data = original_small(image_get(self.actor, image_id))
        except NotFound:
            raise Http404 from None
        except (MattingError, *PROCESS_FAILED):
            response: HttpResponseBase = redirect(static("admin/gone.svg"))
            response["Cache-Control"] = "no-store"
            return response
        response = HttpResponse(data, content_type="image/webp")
        response["Cache-Control"] = "private, max-age=86400"
        return response


class JobView(JobPage, FragmentPage):
    """Page that shows a job with its progress.

    If the job has only one picture, the page of that picture is shown instead.
    """

    template_name = "batch.html"
    fragment_name = "components/batch_progress.html"

    def get(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:  # type: ignore[override]
        if htmx_of(request):
            return self._progress(request, job_id)
        if self.job().images_total == 1:
            return PictureView.as_view()(request, job_id=job_id)
        return super().get(request, job_id=job_id)

    def _progress(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        """Return the job's progress as HTML. The page requests it repeatedly.

        If the job does not exist, the status is 286, so that htmx stops the requests.
        """
        try:
            return super().get(request, job_id=job_id)
        except (Http404, PermissionDenied):
            gone = render_to_string("components/batch_gone.html", request=request)
            return HttpResponseStopPolling(gone)

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        job = self.job()
        images = images_of(job)
        finished = [image for image in images if image.is_terminal]
        return super().get_context_data(
            job=job, rows=[Row(image) for image in images], finished=len(finished), **values
        )
