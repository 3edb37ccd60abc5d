"""PicWish-compatible API: the views that submit and return tasks, at both groups of paths."""

from __future__ import annotations

import uuid
from functools import partial

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.accept import AlwaysJson
from jobs.api.base import NothingHere, PublishedView
from jobs.api.bodies import MarkedJson
from jobs.api.body_limits import one_picture
from jobs.models import Job
from jobs.work.selectors import job_by_external_id
from jobs.work.submission import Door
from segmentation.errors import MattingError

from . import render, serializers
from .dialect import NAME

MAX_WAIT_S = 30

ERROR = OpenApiResponse(serializers.PicWishErrorSerializer, description="What was wrong.")
ERRORS = {"4XX": ERROR, "5XX": ERROR}
ACCEPTED = OpenApiExample(
    "Accepted",
    value={"status": 200, "data": {"task_id": "3b950563-e53f-4036-a581-5ac04d0829b3"}},
    response_only=True,
    status_codes=["200"],
    media_type="application/json",
)
BY_URL = OpenApiExample(
    "By URL, waiting",
    value={"image_url": "https://example.com/image.png", "sync": 1, "output_type": 2, "format": "png"},
    request_only=True,
)
DONE = OpenApiExample(
    "Complete",
    value={
        "status": 200,
        "data": {
            "task_id": "3b950563-e53f-4036-a581-5ac04d0829b3",
            "state": 1,
            "state_detail": "Complete",
            "progress": 100,
            "image": "https://keyline.example/files/…/1-cutout.png?until=…&signature=…",
            "created_at": 1742670626,
            "processed_at": 1742670626,
            "completed_at": 1742670627,
            "download_time": 488,
            "time_elapsed": 384.55,
            "err_info": "",
            "foreground_rect": {"x": 133, "y": 110, "width": 604, "height": 952},
            "image_width": 864,
            "image_height": 1152,
            "output_type": 2,
            "return_type": 1,
            "result_type": "object",
            "type": "auto",
        },
    },
    response_only=True,
    status_codes=["200"],
    media_type="application/json",
)


def describe_submission(operation_id: str) -> object:
    """Return a decorator with the OpenAPI description of a view that accepts a new task.

    Two paths accept a submission, so each needs its own `operation_id`.
    """
    return extend_schema(
        tags=["PicWish"],
        operation_id=operation_id,
        summary="Cut out a picture, at once or as a task",
        request={
            "multipart/form-data": serializers.SegmentationSerializer,
            "application/x-www-form-urlencoded": serializers.SegmentationSerializer,
            "application/json": serializers.SegmentationSerializer,
        },
        responses={
            (200, "application/json"): serializers.SubmittedSerializer,
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            **ERRORS,
        },
        examples=[BY_URL, ACCEPTED, DONE],
    )


def describe_task(operation_id: str) -> object:
    """Return a decorator with the OpenAPI description of a view that returns a task.

    Several paths return a task, so each needs its own `operation_id`.
    """
    return extend_schema(
        tags=["PicWish"],
        operation_id=operation_id,
        summary="Get a task",
        responses={200: serializers.TaskSerializer, **ERRORS},
        examples=[DONE],
    )


class PicWishView(PublishedView):
    """Base class of the views of the PicWish-compatible API. Errors are JSON in PicWish's format."""

    dialect = NAME
    content_negotiation_class = AlwaysJson
    renderer_classes = [JSONRenderer]

    def render_error(self, error: MattingError, request: Request | None) -> Response:
        return render.render_error(error)


@extend_schema_view(post=describe_submission("picwish_submit"))
class SegmentationView(PicWishView):
    body_limits = staticmethod(one_picture)
    parser_classes = [MultiPartParser, FormParser, MarkedJson]

    def post(self, request: Request) -> HttpResponseBase:
        body = serializers.SegmentationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.note_ignored(body)
        values, options = body.validated_data, body.to_options()
        job = self.submit(
            sources=[body.to_source(self.team_limits(serializers.limits()))],
            options=options,
            limits=serializers.limits(),
            fields={"output_type": values["output_type"], "return_type": values["return_type"]},
            door=Door(
                dialect=NAME,
                urgency=Job.Urgency.INTERACTIVE if values["sync"] else Job.Urgency.DEFAULT,
                external_id=str(uuid.uuid4()),
                wire=body.to_wire(base_url=self.base_url),
                callback_url=values.get("callback_url", ""),
            ),
        )
        if not values["sync"]:
            return Response(render.render_submitted(job))
        answer = partial(self._answer, is_binary=values["return_type"] == serializers.BINARY)
        return self.when_ended(job, timeout_s=min(MAX_WAIT_S, settings.MATTING_MAX_WAIT_S), then=answer)

    def _answer(self, job: Job, *, is_binary: bool) -> HttpResponseBase:
        binary = render.render_binary(job) if is_binary else None
        return binary or Response(render.render_task(job, base_url=self.base_url))


@extend_schema_view(get=describe_task("picwish_task"))
class TaskView(PicWishView):
    def get(self, request: Request, task_id: str) -> Response:
        job = job_by_external_id(self.actor, NAME, task_id)
        return Response(render.render_task(job, base_url=self.base_url))


@extend_schema_view(get=describe_task("picwish_task_short"))
class ShortTaskView(TaskView):
    pass


@extend_schema_view(post=describe_submission("picwish_vendor_submit"))
class VendorSegmentationView(SegmentationView):
    pass


@extend_schema_view(get=describe_task("picwish_vendor_task"))
class VendorTaskView(TaskView):
    pass


class NothingView(NothingHere, PicWishView):
    """Return an error with status 404 in PicWish's format for an unknown path."""
