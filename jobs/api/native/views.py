"""Native API: submit, list, read, cancel and delete jobs, and download their results."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from django.conf import settings
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.accept import preferred_format, preferred_picture
from jobs.api.bodies import MarkedJson, RawBytes, RawPicture
from jobs.api.body_limits import each_picture_by_itself
from jobs.api.problem import PROBLEM
from jobs.api.zips import zip_name, zip_response
from jobs.errors import JobCanceled, NoResults
from jobs.intake.sources import default_limits
from jobs.models import Job, JobImage, Status
from jobs.recipes.selectors import recipe_named
from jobs.results.sheets import SheetRendering, sheet_begin
from jobs.work.cancel import job_cancel
from jobs.work.retention import job_purge
from jobs.work.selectors import images_of, images_of_small_job, job_get, jobs_filtered
from jobs.work.submission import Door
from segmentation.errors import InvalidParameter

from .base import IDEMPOTENCY_KEY, JOB_QUERY, WAIT, NativeView
from .documents import ImagePageSerializer, JobPageSerializer, JobSerializer, job_documents
from .etags import job_etag
from .picture import picture_response
from .recent import Recent, Rendered
from .serializers import (
    JobFilterSerializer,
    JobFormSerializer,
    JobJsonSerializer,
    JobRequestSerializer,
    in_format,
    with_query,
)
from .sources import sources_in


class JobsView(NativeView):
    """List the team's jobs, or submit a job."""

    parser_classes = [MultiPartParser, FormParser, MarkedJson, RawPicture, RawBytes]
    query_fields = None
    body_limits = staticmethod(each_picture_by_itself)

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_list",
        summary="List jobs, newest first",
        parameters=[JobFilterSerializer],
        responses={200: JobPageSerializer, "4XX": PROBLEM},
    )
    def get(self, request: Request) -> Response:
        filters = JobFilterSerializer(data=request.query_params)
        filters.is_valid(raise_exception=True)
        chosen = filters.validated_data
        page, size = chosen["page"], chosen["page_size"]
        jobs = jobs_filtered(self.actor, chosen)
        shown, count = list(jobs[(page - 1) * size : page * size]), jobs.count()
        results = job_documents(shown, base_url=self.base_url)
        body = {"count": count, "page": page, "page_size": size, "results": results}
        return Response(body, headers=self.page_links(page=page, page_size=size, count=count))

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_submit",
        summary="Submit one or many pictures",
        description=(
            "With `Accept: image/png`, `image/jpeg` or `image/webp` it waits and answers the one cutout itself, in "
            "that format unless `format` names another. A picture may be the whole body, with the options in the query."
        ),
        parameters=[WAIT, IDEMPOTENCY_KEY],
        request={
            "multipart/form-data": JobFormSerializer,
            "application/json": JobJsonSerializer,
            "image/*": OpenApiTypes.BINARY,
            "application/octet-stream": OpenApiTypes.BINARY,
        },
        responses={
            (200, "application/json"): JobSerializer,
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            (200, "image/webp"): OpenApiTypes.BINARY,
            202: JobSerializer,
            "4XX": PROBLEM,
            "5XX": PROBLEM,
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        is_picture = preferred_picture(request) is not None
        wait_s = self.wait_s() or (settings.MATTING_MAX_WAIT_S if is_picture else 0)
        body = JobRequestSerializer(data=with_query(request, without=("wait",)))
        body.is_valid(raise_exception=True)
        limits = self.team_limits(default_limits())
        options = in_format(body, preferred_format(request))
        sources = sources_in(self.actor, body.validated_data, limits)
        if is_picture and len(sources) > 1:
            raise InvalidParameter("Accept: an image is answered for one picture at a time", field="image")
        door = Door(
            dialect=Job.Dialect.WEB if request.auth is None else Job.Dialect.NATIVE,
            urgency=_urgency(wait_s, len(sources)),
            callback_url=body.validated_data.get("callback_url", ""),
        )
        recipes = [recipe_named(self.actor, text) for text in body.validated_data.get("recipe", ())]
        job = self.submit(door=door, options=options, sources=sources, recipes=recipes)
        if is_picture:
            return self.when_picture(job, timeout_s=wait_s, then=picture_response)
        return self.when_ended(job, timeout_s=wait_s, then=self.answer) if wait_s else self.answer(job)


ETAG_KEPT_S = 0.5
_ETAGS: Recent[str] = Recent(most=256, kept_s=ETAG_KEPT_S)
_RENDERED: Recent[Rendered] = Recent(most=32, kept_s=5.0)


class JobView(NativeView):
    """Return one job, or delete the job."""

    query_fields = JOB_QUERY

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_get",
        summary="Get one job",
        description="A job shows up to 20 pictures; `images_next` and the Link header lead to the next ones.",
        parameters=[WAIT, ImagePageSerializer],
        responses={200: JobSerializer, 304: None, "4XX": PROBLEM},
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponseBase:
        job = job_get(self.actor, job_id)
        wait_s = self.wait_s()
        return self.when_ended(job, timeout_s=wait_s, then=self._shown) if wait_s else self._shown(job)

    def _shown(self, job: Job) -> HttpResponseBase:
        """Return the response with the job, or status 304 if the client's copy of the job is current."""
        etag, images = self._etag(job)
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        unchanged = get_conditional_response(self.request._request, etag=etag)
        if unchanged is not None and unchanged.status_code == 304:
            return Response(status=304, headers=headers)
        return self._shared(job, images, headers)

    def _etag(self, job: Job) -> tuple[str, Sequence[JobImage] | None]:
        """Return two values: the ETag of the job's JSON, and the pictures if all of them were read for the ETag.

        The second value is None if the pictures were not read. Because reading all pictures takes long, the ETag of a
        running job is cached for ETAG_KEPT_S seconds, as long as the job's status and counts do not change. A response
        can therefore show a state that is ETAG_KEPT_S seconds old.
        """
        page, language = self.request.GET.urlencode(), get_language() or ""
        glance = (job.pk, job.status, job.images_succeeded, job.images_failed, page, language)
        known = None if job.is_terminal else _ETAGS.get(glance)
        if known is not None:
            return known, None
        is_whole = not page and "If-None-Match" not in self.request.headers
        images = images_of_small_job(job) if is_whole else None
        etag = job_etag(job, page=page, language=language, images=images)
        if not job.is_terminal:
            _ETAGS.put(glance, etag)
        return etag, images

    def _shared(self, job: Job, images: Sequence[JobImage] | None, headers: dict[str, str]) -> HttpResponseBase:
        """Return the response with a job.

        If several clients request the job while its ETag does not change, they get the same cached response.
        """
        key = (headers["ETag"], self.base_url, self.request.accepted_media_type)
        known = _RENDERED.get(key)
        if known is not None:
            link = {"Link": known.link} if known.link else {}
            return HttpResponse(known.body, content_type=JSONRenderer.media_type, headers=headers | link)
        response = self.answer(job, pending_status=200, images=images)
        for name, value in headers.items():
            response[name] = value
        response.add_post_render_callback(
            lambda rendered: _RENDERED.put(key, Rendered(rendered.content, rendered.headers.get("Link", "")))
        )
        return response

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_delete",
        summary="Delete a job and its files",
        responses={204: None, "4XX": PROBLEM},
    )
    def delete(self, request: Request, job_id: UUID) -> Response:
        actor = self.actor
        job_purge(actor=actor, jobs=[job_get(actor, job_id)])
        return Response(status=204)


class JobCancelView(NativeView):
    """Cancel the unfinished pictures of a job."""

    query_fields = JOB_QUERY

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_cancel",
        summary="Cancel a job",
        request=None,
        responses={200: JobSerializer, "4XX": PROBLEM},
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        actor = self.actor
        return self.answer(job_cancel(actor=actor, job=job_get(actor, job_id)))


class JobZipView(NativeView):
    """Return one zip with the results of a job's finished pictures."""

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_zip",
        summary="Download all results of a job as one zip",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, "4XX": PROBLEM},
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponseBase:
        job = job_get(self.actor, job_id)
        if job.status == Status.CANCELED and not job.images_succeeded:
            raise JobCanceled("The job was cancelled; it has no results.")
        if not job.images_succeeded:
            raise NoResults
        return zip_response(self.actor, images_of(job), zip_name(job))


class JobSheetView(NativeView):
    """Return a contact sheet (a PDF with small pictures) of a job's results."""

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_sheet",
        summary="Get a contact sheet of a job's results: names, and uncertain ones marked",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, "4XX": PROBLEM},
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponseBase:
        job = job_get(self.actor, job_id)
        rendering = sheet_begin(actor=self.actor, job=job)
        return self.when_done(rendering.future, then=partial(self._sheet, rendering, job), left=rendering.drop)

    def _sheet(self, rendering: SheetRendering, job: Job) -> FileResponse:
        path = rendering.result()
        file = path.open("rb")
        path.unlink()
        name = f"keyline-{job.created_at:%Y%m%d-%H%M%S}.pdf"
        return FileResponse(file, as_attachment=True, filename=name, content_type="application/pdf")


def _urgency(wait_s: float, count: int) -> Job.Urgency:
    if wait_s:
        return Job.Urgency.INTERACTIVE
    return Job.Urgency.DEFAULT if count == 1 else Job.Urgency.BATCH
