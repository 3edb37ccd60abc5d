"""Native API: `variants` renders a stored result with other options, `again` runs the model again."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.bodies import MarkedJson
from jobs.api.body_limits import one_picture
from jobs.api.problem import PROBLEM
from jobs.models import Job, Scope
from jobs.results.variants import MAX_BRUSH_BYTES, first_output, variant_keep, variant_render
from jobs.work.rerun import image_rerun
from jobs.work.selectors import image_at, job_get
from jobs.work.waiting import wait_for_job

from .base import WAIT, NativeView
from .serializers import (
    AgainRequestSerializer,
    FileSerializer,
    JobSerializer,
    VariantRequestSerializer,
    file_document,
)

KEPT_LINK_TTL_S = 7 * 24 * 3600  # kept renderings are shared with others


class VariantsView(NativeView):
    """Render a finished picture with other options; answer the file, or with `keep` a link to the stored one."""

    required_scopes = {"POST": (Scope.SUBMIT, Scope.READ)}
    body_limits = staticmethod(one_picture)
    parser_classes = [MultiPartParser, FormParser, MarkedJson]

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_variant",
        summary="Render a finished picture with other options, without the model and without a charge",
        request={"application/json": VariantRequestSerializer, "multipart/form-data": VariantRequestSerializer},
        responses={(200, "image/png"): OpenApiTypes.BINARY, 201: FileSerializer, "4XX": PROBLEM},
    )
    def post(self, request: Request, job_id: UUID) -> HttpResponseBase:
        body = VariantRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        image = image_at(job_get(self.actor, job_id), body.validated_data.get("position"))
        brush = body.validated_data.get("brush")
        result = variant_render(
            actor=self.actor,
            image=image,
            options=body.to_options(),
            brush_png=brush.read(MAX_BRUSH_BYTES + 1) if brush else b"",
            people=body.validated_data.get("people"),
            for_screen=body.validated_data["for_screen"] and not body.validated_data["keep"],
        )
        rendered = first_output(result)
        if body.validated_data["keep"]:
            kept = variant_keep(image=image, rendered=rendered)
            return Response(file_document(kept, base_url=self.base_url, link_ttl_s=KEPT_LINK_TTL_S), status=201)
        response = HttpResponse(rendered.data, content_type=rendered.content_type)
        response["Server-Timing"] = ", ".join(f"{name};dur={ms:.1f}" for name, ms in result.timings_ms.items())
        return response


class AgainView(NativeView):
    """Run the model again on a stored picture, as a new job."""

    required_scopes = {"POST": (Scope.SUBMIT, Scope.READ)}

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_again",
        summary="Submit a picture again with other settings, without sending it again",
        parameters=[WAIT],
        request=AgainRequestSerializer,
        responses={200: JobSerializer, 202: JobSerializer, "4XX": PROBLEM, "5XX": PROBLEM},
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        wait_s = self.wait_s()
        body = AgainRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        actor = self.actor
        job = image_rerun(
            actor=actor,
            image=image_at(job_get(actor, job_id), body.validated_data.get("position")),
            options=body.to_options(),
            dialect=Job.Dialect.WEB if request.auth is None else Job.Dialect.NATIVE,
            urgency=Job.Urgency.INTERACTIVE if wait_s else Job.Urgency.DEFAULT,
        )
        return self.answer(wait_for_job(job.id, timeout_s=wait_s) if wait_s else job)
