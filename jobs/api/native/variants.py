"""Stages 2 and 7 to 9: `POST /api/jobs/{id}/variants`, an instant rendering with other options."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import selectors
from jobs.errors import NotFound
from jobs.services.variants import first_output, variant_keep, variant_render

from .render import render_file
from .serializers import FileSerializer, VariantRequestSerializer
from .views import PROBLEM, NativeView

MAX_BRUSH_BYTES = 4 * 2**20


class VariantsView(NativeView):
    """Render a finished picture again; answer the file itself, or with `keep` a link to the stored one."""

    parser_classes = [MultiPartParser, FormParser, JSONParser]

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_variant",
        summary="Render a finished picture with other options, without the model and without a charge",
        request={"application/json": VariantRequestSerializer, "multipart/form-data": VariantRequestSerializer},
        responses={(200, "image/png"): OpenApiTypes.BINARY, 201: FileSerializer, "4XX": PROBLEM},
    )
    def post(self, request: Request, job_id: UUID) -> HttpResponseBase:
        job = selectors.job_get(self.actor, job_id)
        body = VariantRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        images = selectors.images_of(job)
        position = body.validated_data["position"]
        if position >= len(images):
            raise NotFound(f"The job has {len(images)} pictures, counted from 0.")
        brush = body.validated_data.get("brush")
        result = variant_render(
            image=images[position], options=body.to_options(), brush_png=brush.read(MAX_BRUSH_BYTES) if brush else b""
        )
        rendered = first_output(result)
        if body.validated_data["keep"]:
            kept = variant_keep(image=images[position], rendered=rendered)
            return Response(render_file(kept, base_url=self.base_url), status=201)
        response = HttpResponse(rendered.data, content_type=rendered.content_type)
        response["Server-Timing"] = ", ".join(f"{name};dur={ms:.1f}" for name, ms in result.timings_ms.items())
        return response
