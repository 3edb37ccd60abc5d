"""Native API: submit, list, look at, cancel and delete jobs, and download their results as a zip."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.base import AlwaysJson
from jobs.api.bodies import MarkedJson
from jobs.api.body_limits import many_pictures
from jobs.api.problem import PROBLEM
from jobs.api.zips import zip_name, zip_response
from jobs.intake import archives
from jobs.intake.selectors import upload_get
from jobs.intake.sources import (
    CheckedSource,
    Source,
    UrlSource,
    accept_base64,
    accept_stored,
    accept_upload,
    accept_url,
    check_count,
    default_limits,
)
from jobs.models import Job
from jobs.teams.actor import Actor
from jobs.work.cancel import job_cancel
from jobs.work.retention import job_purge
from jobs.work.selectors import images_of, job_by_idempotency_key, job_get, jobs_filtered
from jobs.work.submission import Door, job_submit
from segmentation.errors import InvalidParameter
from segmentation.image import Limits

from .base import WAIT, NativeView
from .picture import PictureOrJson, picture_response, wants_picture
from .serializers import JobFilterSerializer, JobPageSerializer, JobRequestSerializer, JobSerializer, job_document


class JobsView(NativeView):
    """List the team's jobs, or submit one."""

    parser_classes = [MultiPartParser, FormParser, MarkedJson]
    content_negotiation_class = PictureOrJson
    body_limits = staticmethod(many_pictures)

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
        jobs = jobs_filtered(self.actor, chosen)
        start = (chosen["page"] - 1) * chosen["page_size"]
        page = [job_document(job, base_url=self.base_url) for job in jobs[start : start + chosen["page_size"]]]
        body = {"count": jobs.count(), "page": chosen["page"], "page_size": chosen["page_size"], "results": page}
        return Response(body)

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_submit",
        summary="Submit one or many pictures",
        description="With `Accept: image/png` (any `image/`) it waits and answers the one cutout itself.",
        parameters=[WAIT, OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        request={"multipart/form-data": JobRequestSerializer, "application/json": JobRequestSerializer},
        responses={
            (200, "application/json"): JobSerializer,
            (200, "image/png"): OpenApiTypes.BINARY,
            202: JobSerializer,
            "4XX": PROBLEM,
            "5XX": PROBLEM,
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        wait_s = self.wait_s() or (settings.MATTING_MAX_WAIT_S if wants_picture(request) else 0)
        body = JobRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        limits = self.team_limits(default_limits())
        options, sources = body.to_options(), _sources_in(self.actor, body.validated_data, limits)
        if wants_picture(request) and len(sources) > 1:
            raise InvalidParameter("Accept: an image is answered for one picture at a time", field="image")
        callback_url = body.validated_data.get("callback_url", "")
        key, digest = _idempotency(request, options.to_json(), sources, callback_url)
        job = self._replayed(key, digest) or job_submit(
            actor=self.actor,
            door=Door(
                dialect=Job.Dialect.WEB if request.auth is None else Job.Dialect.NATIVE,
                urgency=_urgency(wait_s, len(sources)),
                idempotency_key=key,
                request_hash=digest,
                callback_url=callback_url,
            ),
            options=options,
            sources=sources,
        )
        if wants_picture(request):
            return self.when_picture(job, timeout_s=wait_s, then=picture_response)
        return self.when_ended(job, timeout_s=wait_s, then=self.answer) if wait_s else self.answer(job)

    def _replayed(self, key: str, digest: str) -> Job | None:
        """Return the job that this Idempotency-Key made; raise InvalidParameter when the request was another one."""
        job = job_by_idempotency_key(self.actor, key) if key else None
        if job is not None and job.request_hash != digest:
            raise InvalidParameter("Idempotency-Key: it was used with another request", field="Idempotency-Key")
        return job


class JobView(NativeView):
    """Look at one job, or delete it."""

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_get",
        summary="Look at one job",
        parameters=[WAIT],
        responses={200: JobSerializer, "4XX": PROBLEM},
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponseBase:
        job = job_get(self.actor, job_id)
        answer, wait_s = partial(self.answer, pending_status=200), self.wait_s()
        return self.when_ended(job, timeout_s=wait_s, then=answer) if wait_s else answer(job)

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
    """Cancel what has not ended."""

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
    """Answer the results of a job's finished pictures in one zip."""

    content_negotiation_class = AlwaysJson  # for errors

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_zip",
        summary="Take all results of a job as one zip",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, "4XX": PROBLEM},
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponseBase:
        job = job_get(self.actor, job_id)
        return zip_response(self.actor, images_of(job), zip_name(job))


def _sources_in(actor: Actor, values: dict[str, Any], limits: Limits) -> list[Source]:
    """Count and check every picture of a request before any is stored.

    A file that is not a picture ends the request; an entry of a zip that is not one fails alone.
    """
    check_count(sum(len(values.get(name, ())) for name in ("image", "image_base64", "image_url", "upload")))
    sources: list[Source] = []
    if "zip" in values:
        within = archives.archive_limits()
        sources += archives.sources_in(values["zip"].file, limits=limits, archive_limits=within, field="zip")
    sources += [accept_upload(file) for file in values.get("image", [])]
    sources += [accept_base64(text) for text in values.get("image_base64", [])]
    sources += [accept_url(url) for url in values.get("image_url", [])]
    uploads = [upload_get(actor, upload_id) for upload_id in values.get("upload", [])]
    sources += [accept_stored(upload.key, name=upload.name) for upload in uploads]
    check_count(len(sources))
    return sources


def _urgency(wait_s: float, count: int) -> Job.Urgency:
    if wait_s:
        return Job.Urgency.INTERACTIVE
    return Job.Urgency.DEFAULT if count == 1 else Job.Urgency.BATCH


def _idempotency(
    request: Request, options: dict[str, Any], sources: list[Source], callback_url: str
) -> tuple[str, str]:
    """Return the Idempotency-Key and a hash of what the request asks for."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > 255:
        raise InvalidParameter("Idempotency-Key: at most 255 characters", field="Idempotency-Key")
    if not key:
        return "", ""
    parts = [repr(sorted(options.items())), repr(callback_url)]
    parts += [_identity(source) for source in sources]
    return key, hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _identity(source: Source) -> str:
    match source:
        case CheckedSource():
            return source.sha256
        case UrlSource():
            return source.url
    return source.name
