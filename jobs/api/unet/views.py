"""UNet matting API: the views that cut out one picture, process a batch, and activate another model."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.accept import JSON, AlwaysJson, preferred_type
from jobs.api.base import NothingHere, PublishedView
from jobs.api.bodies import MarkedJson
from jobs.api.body_limits import each_picture_by_itself, one_picture
from jobs.api.unet import estimates, exports
from jobs.errors import JobNotFound, ScopeMissing
from jobs.inference.activation import model_reload
from jobs.intake import folders
from jobs.intake.sources import Source, default_limits
from jobs.models import Job, JobImage, Scope
from jobs.work.selectors import job_by_external_id
from jobs.work.submission import Door
from segmentation.errors import MattingError

from . import render, serializers
from .dialect import NAME
from .names import numbered_names, original_names, second_unique_name

# Folders of the original server, which its clients send; they are replaced by the operator's first roots.
INPUTS, OUTPUTS, MODELS = "/root/inputs", exports.OUTPUTS, "/root/models"

ERROR = OpenApiResponse(serializers.UNetErrorSerializer, description="What was wrong.")
ERRORS = {"4XX": ERROR, "5XX": ERROR}
SINGLE_RESULT = PolymorphicProxySerializer(
    component_name="UNetSingleAnswer",
    serializers=[serializers.UNetSingleResultSerializer, serializers.UNetRawAlphaSerializer],
    resource_type_field_name=None,
)


SINGLE_EXAMPLE = OpenApiExample(
    "Cut out",
    value={
        "status": "success",
        "result_path": "outputs/outputs_20240605142233.png",
        "alpha_path": "outputs/outputs_20240605142233_alpha.png",
        "processing_time_ms": 184,
        "original_size": [1920, 1080],
        "output_size": [1920, 1080],
        "result_url": "https://keyline.example/files/…/outputs_20240605142233.png?until=…&signature=…",
        "alpha_url": "https://keyline.example/files/…/outputs_20240605142233_alpha.png?until=…&signature=…",
    },
    response_only=True,
    status_codes=["200"],
)
SUBMITTED_EXAMPLE = OpenApiExample(
    "Submitted",
    value={
        "status": "submitted",
        "task_id": "batch_20240605_142233",
        "input_count": 42,
        "estimated_time_sec": 126,
        "output_dir": "/root/outputs/batch_20240605_142233/",
    },
    response_only=True,
    status_codes=["200"],
)
TASK_EXAMPLE = OpenApiExample(
    "Completed",
    value={
        "status": "completed",
        "processed": 1,
        "failed": 0,
        "output_dir": "/root/outputs/batch_20240605_142233/",
        "zip_path": "/root/outputs/batch_results_20240605_142233.zip",
        "zip_url": "https://keyline.example/files/…/batch_results_20240605_142233.zip?until=…&signature=…",
        "total_time_ms": 1850,
        "files": [
            {
                "name": "shoe.jpg",
                "status": "completed",
                "result_path": "/root/outputs/batch_20240605_142233/outputs_20240605142233.png",
            }
        ],
    },
    response_only=True,
    status_codes=["200"],
)


class UNetView(PublishedView):
    """Base class of the views of the UNet matting API. Responses and errors are JSON."""

    dialect = NAME
    content_negotiation_class = AlwaysJson
    renderer_classes = [JSONRenderer]

    def render_error(self, error: MattingError, request: Request | None) -> Response:
        return render.render_error(error)


class SingleView(UNetView):
    body_limits = staticmethod(one_picture)
    parser_classes = [MultiPartParser, FormParser]

    @extend_schema(
        tags=["UNet"],
        operation_id="unet_single",
        summary="Cut out one picture and wait for the result",
        description=f"With `Accept: {render.RAW_ALPHA_TYPE}` the answer is the model's alpha before any threshold.",
        parameters=[OpenApiParameter("Accept", str, OpenApiParameter.HEADER, description=render.RAW_ALPHA_TYPE)],
        request={"multipart/form-data": serializers.UNetSingleSerializer},
        responses={200: SINGLE_RESULT, **ERRORS},
        examples=[SINGLE_EXAMPLE],
    )
    def post(self, request: Request) -> HttpResponseBase:
        body = serializers.UNetSingleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.note_ignored(body)
        options = body.to_options()
        name = second_unique_name("outputs_{}")
        job = self.submit(
            sources=[body.to_source()],
            options=options,
            door=Door(
                dialect=NAME,
                urgency=Job.Urgency.INTERACTIVE,
                external_id=name,
                output_folder="outputs",
                output_names=[name],
            ),
        )
        return self.when_picture(job, timeout_s=settings.MATTING_MAX_WAIT_S, then=self._answer)

    def _answer(self, image: JobImage) -> Response:
        is_named = render.RAW_ALPHA_TYPE in self.request.headers.get("Accept", "").lower()
        if is_named and preferred_type(self.request, [render.RAW_ALPHA_TYPE, JSON]) == render.RAW_ALPHA_TYPE:
            return Response(render.render_raw_alpha(image))
        folder = exports.export_result(image) if exports.is_mounted() else ""
        return Response(render.render_single(image, base_url=self.base_url, folder=folder))


class BatchView(UNetView):
    body_limits = staticmethod(each_picture_by_itself)
    parser_classes = [MarkedJson, MultiPartParser]

    @extend_schema(
        tags=["UNet"],
        operation_id="unet_batch",
        summary="Cut out a folder of the server, or many pictures, or a .zip",
        description="A folder needs the scope `server-files`. Pictures that cannot be read are counted as failed.",
        request={
            "application/json": serializers.UNetFolderSerializer,
            "multipart/form-data": serializers.UNetUploadSerializer,
        },
        responses={200: serializers.UNetSubmittedSerializer, **ERRORS},
        examples=[
            OpenApiExample(
                "A folder",
                value={"input_dir": f"{INPUTS}/", "output_dir": f"{OUTPUTS}/", "alpha_threshold": 10},
                media_type="application/json",
                request_only=True,
            ),
            SUBMITTED_EXAMPLE,
        ],
    )
    def post(self, request: Request) -> Response:
        is_folder = (request.content_type or "").lower().startswith("application/json")
        job = self._submit_folder(request) if is_folder else self._submit_upload(request)
        return Response(render.render_submitted(job, estimated_time_s=estimates.seconds_until_done()))

    def _submit_folder(self, request: Request) -> Job:
        if not self.actor.has_scope(Scope.SERVER_FILES):
            raise ScopeMissing(Scope.SERVER_FILES)
        body = serializers.UNetFolderSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.note_ignored(body)
        values = body.validated_data
        inputs = folders.place_in(values["input_dir"], settings.MATTING_INPUT_ROOTS, field="input_dir", alias=INPUTS)
        outputs = folders.place_in(
            values["output_dir"], settings.MATTING_OUTPUT_ROOTS, field="output_dir", alias=OUTPUTS
        )
        options = body.to_options()
        folders.require_writable(outputs, field="output_dir")
        sources = folders.sources_in(inputs, field="input_dir")
        names = BatchNames(
            shown_folder=values["output_dir"].rstrip("/") + "/", sources=sources, keeps_names=values["keep_names"]
        )
        door = names.door(bundle_folder=f"teams/{self.actor.team.id}", export_directory=str(outputs.path))
        fields = {name: values[name] for name in ("keep_names", "output_dir")}
        return self.submit(door=door, options=options, sources=sources, fields=fields)

    def _submit_upload(self, request: Request) -> Job:
        body = serializers.UNetUploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.note_ignored(body)
        options = body.to_options()
        sources: list[Source] = body.to_sources(self.team_limits(default_limits()))
        names = BatchNames(shown_folder="outputs/", sources=sources, keeps_names=body.validated_data["keep_names"])
        fields = {"keep_names": body.validated_data["keep_names"]}
        return self.submit(door=names.door(bundle_folder="outputs"), options=options, sources=sources, fields=fields)


class BatchNames:
    """The names of a new batch: its id, its folder, its zip and its results.

    shown_folder: the path of the parent folder, as responses show it.
    sources: the pictures of the batch.
    keeps_names: whether the results have the names of their pictures.
    """

    def __init__(self, *, shown_folder: str, sources: Sequence[Source], keeps_names: bool) -> None:
        self.task_id = second_unique_name("batch_{}", separator="_")
        moment = self.task_id.removeprefix("batch_")
        self.zip_name = f"batch_results_{moment}.zip"
        self.shown_folder = shown_folder
        self.result_names = (
            original_names(source.name for source in sources)
            if keeps_names
            else numbered_names(f"outputs_{moment.replace('_', '', 1)}", len(sources))
        )

    def door(self, *, bundle_folder: str, export_directory: str = "") -> Door:
        """Return the Door of the batch. A Door describes how a job is submitted.

        bundle_folder: the folder of the zip in the storage.
        export_directory: a folder of the server to which the results are copied too; an empty string: no copies.
        """
        return Door(
            dialect=NAME,
            urgency=Job.Urgency.BATCH,
            external_id=self.task_id,
            wire={
                "output_dir": f"{self.shown_folder}{self.task_id}/",
                "zip_path": f"{self.shown_folder}{self.zip_name}",
            },
            output_folder="" if export_directory else f"outputs/{self.task_id}",
            output_names=self.result_names,
            bundle_key=f"{bundle_folder}/{self.zip_name}",
            export_directory=export_directory,
        )


class TaskView(UNetView):
    @extend_schema(
        tags=["UNet"],
        operation_id="unet_task",
        summary="Get a batch",
        responses={200: serializers.UNetTaskSerializer, **ERRORS},
        examples=[TASK_EXAMPLE],
    )
    def get(self, request: Request, task_id: str) -> Response:
        if not task_id.startswith("batch_"):  # a `single` has no task
            raise JobNotFound
        job = job_by_external_id(self.actor, NAME, task_id)
        return Response(render.render_task(job, base_url=self.base_url))


class ReloadView(UNetView):
    required_scopes = {"POST": (Scope.ADMIN,)}
    parser_classes = [MarkedJson]

    @extend_schema(
        tags=["UNet"],
        operation_id="unet_reload",
        summary="Serve another weights file from the next picture on",
        description="A worker tries the file first; one that does not fit answers 400 and changes nothing.",
        request={"application/json": serializers.UNetReloadSerializer},
        responses={200: serializers.UNetModelSerializer, **ERRORS},
        examples=[OpenApiExample("A file", value={"model_path": f"{MODELS}/my_custom_unet.pth"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        body = serializers.UNetReloadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.note_ignored(body)
        place = folders.place_in(
            body.validated_data["model_path"], [settings.MATTING_WEIGHTS_DIR], field="model_path", alias=MODELS
        )
        version, previous = model_reload(actor=self.actor, place=place)
        return Response(render.render_reloaded(version, previous))


class NothingView(NothingHere, UNetView):
    """Return an error with status 404 in the format of the UNet matting API for an unknown path."""
