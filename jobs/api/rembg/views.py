"""rembg-compatible API: the view that cuts out a picture, given by URL or as a file."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.accept import AlwaysJson
from jobs.api.base import NothingHere, PublishedView
from jobs.api.body_limits import one_picture
from jobs.models import Job, Scope
from jobs.recipes.selectors import recipe_named
from jobs.work.submission import Door
from segmentation.errors import MattingError

from . import render, serializers
from .dialect import NAME

ERROR = OpenApiResponse(serializers.RembgErrorSerializer, description="What was wrong.")
RESPONSES = {(200, "image/png"): OpenApiTypes.BINARY, "4XX": ERROR, "5XX": ERROR}


class RembgView(PublishedView):
    """Base class of the views of the rembg-compatible API. Errors have the format of FastAPI."""

    dialect = NAME
    is_submit = True
    content_negotiation_class = AlwaysJson
    renderer_classes = [JSONRenderer]

    def render_error(self, error: MattingError, request: Request | None) -> Response:
        in_query = request is not None and (request.method == "GET" or error.field in request.GET)
        status = 400 if isinstance(error, serializers.ModelUnknown) else None
        return render.render_error(error, where="query" if in_query else "body", status=status)


class RemoveView(RembgView):
    """Cut out one picture and wait for the result."""

    required_scopes = {"GET": (Scope.SUBMIT,)}
    query_fields = None
    body_limits = staticmethod(one_picture)
    parser_classes = [MultiPartParser, FormParser]

    @extend_schema(
        tags=["rembg"],
        operation_id="rembg_remove_url",
        summary="Remove the background of a picture given by URL",
        parameters=[serializers.RembgUrlSerializer],
        responses=RESPONSES,
    )
    def get(self, request: Request) -> HttpResponseBase:
        return self._removed(serializers.RembgUrlSerializer(data=serializers.merged(request.query_params, {})))

    @extend_schema(
        tags=["rembg"],
        operation_id="rembg_remove_file",
        summary="Remove the background of a picture sent as a file",
        request={"multipart/form-data": serializers.RembgFileSerializer},
        responses=RESPONSES,
    )
    def post(self, request: Request) -> HttpResponseBase:
        return self._removed(
            serializers.RembgFileSerializer(data=serializers.merged(request.query_params, request.data))
        )

    def _removed(self, body: serializers.RembgUrlSerializer | serializers.RembgFileSerializer) -> HttpResponseBase:
        body.is_valid(raise_exception=True)
        self.note_ignored(body)
        options, background = body.to_options(), body.background()
        self.ignored_fields = [*self.ignored_fields, *body.without_effect(options)]
        door = Door(dialect=NAME, urgency=Job.Urgency.INTERACTIVE)
        recipes = [recipe_named(self.actor, name)] if (name := body.recipe()) else []
        job = self.submit(
            door=door,
            options=options,
            sources=[body.to_source()],
            recipes=recipes,
            fields={"background": background},
        )
        answer = partial(render.render_result, background=background)
        return self.when_picture(job, timeout_s=settings.MATTING_MAX_WAIT_S, then=answer)


class NothingView(NothingHere, RembgView):
    """Return an error with status 404 in the format of FastAPI for an unknown path."""
