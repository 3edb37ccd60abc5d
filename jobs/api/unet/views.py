"""Stages 1 to 4 and 9: the UNet dialect's routes."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import intake
from jobs.api.base import DialectView
from jobs.api.results import finished_image
from jobs.models import Job
from jobs.naming import second_unique_name
from jobs.services.submission import Door, job_submit
from jobs.waiting import wait_for_job
from segmentation.errors import MattingError

from .render import RAW_ALPHA_TYPE, render_error, render_raw_alpha, render_single
from .serializers import UNetErrorSerializer, UNetSingleResultSerializer, UNetSingleSerializer

ERROR = OpenApiResponse(UNetErrorSerializer, description="What was wrong.")


class AlwaysJson(DefaultContentNegotiation):
    """Answer JSON whatever Accept says; the raw-alpha type is read by the view."""

    def select_renderer(self, request: Request, renderers: list, format_suffix: str | None = None) -> tuple:
        return renderers[0], renderers[0].media_type


class UNetView(DialectView):
    content_negotiation_class = AlwaysJson
    renderer_classes = [JSONRenderer]

    def render_error(self, error: MattingError, request: Request | None) -> Response:
        return render_error(error)

    @property
    def wants_raw_alpha(self) -> bool:
        return RAW_ALPHA_TYPE in self.request.headers.get("Accept", "")


class SingleView(UNetView):
    parser_classes = [MultiPartParser, FormParser]

    @extend_schema(
        tags=["UNet"],
        operation_id="unet_single",
        summary="Cut one picture out and wait for it",
        parameters=[OpenApiParameter("Accept", str, OpenApiParameter.HEADER, description=RAW_ALPHA_TYPE)],
        request={"multipart/form-data": UNetSingleSerializer},
        responses={200: UNetSingleResultSerializer, "4XX": ERROR, "5XX": ERROR},
    )
    def post(self, request: Request) -> Response:
        body = UNetSingleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        options = body.to_options()
        source = intake.accept_upload(body.validated_data.get("image"))
        job = job_submit(
            actor=self.actor,
            door=Door(
                dialect=Job.Dialect.UNET,
                urgency=Job.Urgency.INTERACTIVE,
                output_folder="outputs",
                output_names=[second_unique_name("outputs_{}", separator="")],
            ),
            options=options,
            sources=[source],
        )
        image = finished_image(wait_for_job(job.id, timeout_s=settings.MATTING_MAX_WAIT_S))
        if self.wants_raw_alpha:
            return Response(render_raw_alpha(image), content_type="application/json")
        return Response(render_single(image, base_url=self.base_url))
