"""remove.bg-compatible API: the views that cut out a picture and return the account."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import pixels
from jobs.api.accept import JSON, PICTURES, AlwaysJson, preferred_type
from jobs.api.auth import secret_in
from jobs.api.base import NothingHere, PublishedView
from jobs.api.bodies import MarkedJson
from jobs.api.body_limits import BodyLimits, one_picture
from jobs.models import Artifact, Job, JobImage
from jobs.quota.windows import allowances
from jobs.results import storage
from jobs.results.selectors import file_of
from jobs.results.variants import done_rendering
from jobs.work.submission import Door
from segmentation.errors import MattingError

from . import render, serializers
from .canvas import Drawn, Layout, draw
from .dialect import NAME

ERROR = OpenApiResponse(serializers.RemoveBgErrorsSerializer, description="What was wrong.")
ERRORS = {"4XX": ERROR, "5XX": ERROR}


def body_limits() -> BodyLimits:
    """Return the limits of a body with two pictures: the picture to cut out, and a background picture."""
    one = one_picture()
    return BodyLimits(2 * one.max_bytes, one.max_file_bytes)


class RemoveBgView(PublishedView):
    """Base class of the views of the remove.bg-compatible API. Responses have remove.bg's rate limit headers."""

    dialect = NAME
    content_negotiation_class = AlwaysJson
    renderer_classes = [JSONRenderer]

    def render_error(self, error: MattingError, request: Request | None) -> Response:
        return render.render_error(error, has_key=request is not None and bool(secret_in(request)))

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in render.rate_headers(self.standings).items():
            response[name] = value
        return response


class RemoveView(RemoveBgView):
    """Cut out one picture and wait for the result."""

    body_limits = staticmethod(body_limits)
    parser_classes = [MultiPartParser, FormParser, MarkedJson]

    @extend_schema(
        tags=["remove.bg"],
        operation_id="removebg_remove",
        summary="Remove the background of a picture",
        description="The answer is the file itself, or JSON with `Accept: application/json`.",
        request={
            "multipart/form-data": serializers.RemoveBgSerializer,
            "application/x-www-form-urlencoded": serializers.RemoveBgSerializer,
            "application/json": serializers.RemoveBgSerializer,
        },
        responses={
            (200, "application/json"): serializers.RemoveBgAnswerSerializer,
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            (200, "image/webp"): OpenApiTypes.BINARY,
            (200, "application/zip"): OpenApiTypes.BINARY,
            **ERRORS,
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        body = serializers.RemoveBgSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.note_ignored(body)
        body.to_layout()  # raises the errors of the layout before the picture is read
        source = body.to_source()
        layout = body.to_layout(background=body.background())
        job = self.submit(
            door=Door(dialect=NAME, urgency=Job.Urgency.INTERACTIVE),
            options=body.to_options(source),
            sources=[source],
            limits=serializers.limits(),
            fields=body.beside_sources(),
        )
        drawing = partial(self._draw, layout=layout, type_level=body.validated_data["type_level"])
        return self.when_picture(job, timeout_s=settings.MATTING_MAX_WAIT_S, then=drawing)

    def _draw(self, image: JobImage, *, layout: Layout, type_level: str) -> HttpResponseBase:
        """Draw the result in the separate process for renderings, and return the response when the result is ready."""
        cutout = storage.read(file_of(image, Artifact.Kind.CUTOUT).key)
        size = (image.width or 0) * (image.height or 0)
        future = pixels.renderings.submit(draw, cutout, layout, pixels=size)
        answer = partial(self._answer, image, future, layout=layout, type_level=type_level)
        return self.when_done(future, then=answer, left=future.cancel)

    def _answer(self, image: JobImage, drawing: Future[Drawn], *, layout: Layout, type_level: str) -> HttpResponseBase:
        drawn: Drawn = done_rendering(drawing)
        headers = render.headers_of(image, drawn, size=layout.size, type_level=type_level)
        if preferred_type(self.request, [*PICTURES, "application/zip", JSON]) == JSON:
            return Response(render.render_json(drawn), headers=headers)
        return HttpResponse(drawn.data, content_type=drawn.content_type, headers=headers)


class AccountView(RemoveBgView):
    """Return the number of pictures that the team may still process this month."""

    @extend_schema(
        tags=["remove.bg"],
        operation_id="removebg_account",
        summary="Get the credits that are left",
        responses={200: serializers.RemoveBgAccountSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        _, month = allowances(self.actor.team)
        return Response(render.render_account(month))


class NothingView(NothingHere, RemoveBgView):
    """Return an error with status 404 in remove.bg's format for an unknown path."""
