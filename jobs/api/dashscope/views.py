"""DashScope-compatible API: the views that submit, return and cancel tasks, and store uploads."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.accept import AlwaysJson
from jobs.api.auth import KeyAuthentication, NetworkAuthentication, key_admitted, request_id_of
from jobs.api.base import NothingHere, PublishedView, RequestTooLarge
from jobs.api.bodies import JsonBody
from jobs.api.body_limits import BodyLimits
from jobs.api.dashscope.upload_grants import grant_issue, granted_key, upload_id_of
from jobs.errors import AuthenticationRequired, JobNotCancelable, JobNotFound, PermissionDenied
from jobs.intake.sources import accept_upload
from jobs.intake.uploads import upload_store
from jobs.models import Job, Scope
from jobs.teams.caller import caller_of
from jobs.work.cancel import job_cancel
from jobs.work.selectors import jobs_kept
from jobs.work.submission import Door
from segmentation.errors import ImageTooLarge, MattingError

from . import serializers
from .dialect import NAME
from .render import (
    MAX_FILE_BYTES,
    MODEL,
    TASK_LIFE_S,
    error_codes,
    render_error,
    render_listed,
    render_policy,
    render_submitted,
    render_task,
)

# The largest file with its form fields.
MAX_FORM_BYTES = MAX_FILE_BYTES + 64 * 2**10
ERROR_RESPONSES = {
    status: OpenApiResponse(serializers.DashScopeErrorSerializer, description=", ".join(sorted(codes)))
    for status, codes in error_codes().items()
}
ASYNC = OpenApiParameter(
    "X-DashScope-Async", str, OpenApiParameter.HEADER, required=True, enum=["enable"], description="Required."
)
SUBMIT_EXAMPLES = [
    OpenApiExample(
        "Submit",
        {"model": MODEL, "input": {"image_url": "https://example.com/people.jpg"}, "parameters": {}},
        request_only=True,
    ),
    OpenApiExample(
        "Submitted",
        {
            "output": {"task_status": "PENDING", "task_id": "53950fb7-281a-4e60-b543-818c4100ac9e"},
            "request_id": "1027557e-8c3f-9db5-8cd2-cfa42ee161dc",
        },
        response_only=True,
        status_codes=["200"],
    ),
]


class DashScopeView(PublishedView):
    """Base class of the views of the DashScope-compatible API. Bodies, responses and errors are JSON."""

    dialect = NAME
    authentication_classes = [KeyAuthentication, NetworkAuthentication]
    content_negotiation_class = AlwaysJson
    renderer_classes = [JSONRenderer]
    parser_classes = [JsonBody]

    @property
    def request_id(self) -> str:
        return request_id_of(self.request)

    def render_error(self, error: MattingError, request: Request | None) -> Response:
        return render_error(error, request_id=self.request_id)

    def job(self, task_id: str) -> Job:
        """Return the job of a task of the caller's team.

        Raise JobNotFound if the task does not exist, belongs to another team, or has expired.
        """
        try:
            found = jobs_kept(self.actor, self.dialect, {}).filter(pk=UUID(task_id)).first()
        except ValueError:
            found = None
        if found is None:
            raise JobNotFound(field=task_id)
        return found


class SubmitView(DashScopeView):
    """Submit one picture as a task of the DashScope-compatible API."""

    @extend_schema(
        tags=["DashScope"],
        summary="Find the people in a picture",
        parameters=[ASYNC],
        request={"application/json": serializers.DashScopeSubmitSerializer},
        examples=SUBMIT_EXAMPLES,
        responses={200: serializers.DashScopeTaskSerializer, **ERROR_RESPONSES},
    )
    def post(self, request: Request) -> Response:
        if request.headers.get("X-DashScope-Async", "").lower() != "enable":
            raise PermissionDenied("current user api does not support synchronous calls")
        body = serializers.DashScopeSubmitSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.note_ignored(body)
        without_effect = [f"parameters.{name}" for name in body.validated_data.get("parameters") or ()]
        self.ignored_fields = [*self.ignored_fields, *without_effect]
        job = self.submit(
            door=Door(dialect=NAME, retention_hours=TASK_LIFE_S // 3600, worker_judges=True),
            options=serializers.OPTIONS,
            sources=[body.to_source(self.actor)],
            limits=serializers.limits(),
        )
        return Response(render_submitted(job, request_id=self.request_id))


class TasksView(DashScopeView):
    """List the team's tasks of the DashScope-compatible API."""

    query_fields = None

    @extend_schema(
        tags=["DashScope"],
        operation_id="dashscope_tasks_list",
        summary="List tasks, newest first",
        parameters=[serializers.DashScopeTaskFilterSerializer],
        responses={200: serializers.DashScopeTaskPageSerializer, **ERROR_RESPONSES},
    )
    def get(self, request: Request) -> Response:
        query = serializers.DashScopeTaskFilterSerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        self.note_ignored(query)
        chosen = query.validated_data
        jobs = jobs_kept(self.actor, self.dialect, query.to_filters()).select_related("api_key")
        if chosen.get("model_name", MODEL) != MODEL:
            jobs = jobs.none()
        if "api_key_id" in chosen:
            jobs = jobs.filter(api_key__public_id=chosen["api_key_id"])
        total, size = jobs.count(), chosen["page_size"]
        start = (chosen["page_no"] - 1) * size
        return Response(
            {
                "request_id": self.request_id,
                "total": total,
                "total_page": -(-total // size),
                "page_no": chosen["page_no"],
                "page_size": size,
                "data": [render_listed(job) for job in jobs[start : start + size]],
            }
        )


class TaskView(DashScopeView):
    """Return one task of the DashScope-compatible API, with links to its results."""

    @extend_schema(
        tags=["DashScope"],
        operation_id="dashscope_task_get",
        summary="Get a task",
        responses={200: serializers.DashScopeTaskSerializer, **ERROR_RESPONSES},
    )
    def get(self, request: Request, task_id: str) -> Response:
        return Response(render_task(self.job(task_id), request_id=self.request_id, base_url=self.base_url))


class TaskCancelView(DashScopeView):
    """Cancel a task that no worker has started."""

    is_submit = False

    @extend_schema(
        tags=["DashScope"],
        operation_id="dashscope_task_cancel",
        summary="Cancel a task that is PENDING",
        request=None,
        responses={200: serializers.DashScopeAcknowledgedSerializer, **ERROR_RESPONSES},
    )
    def post(self, request: Request, task_id: str) -> Response:
        try:
            job_cancel(actor=self.actor, job=self.job(task_id), only_queued=True)
        except JobNotFound:
            # Clients would take UNKNOWN with status 200 for a success.
            raise JobNotCancelable from None
        return Response({"request_id": self.request_id})


class UploadPolicyView(DashScopeView):
    """Return a signed grant for one upload. The SDK requests a grant when the picture is a `file://` URL."""

    required_scopes = {"GET": (Scope.SUBMIT,)}
    query_fields = None

    @extend_schema(
        tags=["DashScope"],
        operation_id="dashscope_upload_policy",
        summary="Get a policy for uploading a file",
        parameters=[serializers.DashScopePolicyQuerySerializer],
        responses={200: serializers.DashScopePolicySerializer, **ERROR_RESPONSES},
    )
    def get(self, request: Request) -> Response:
        query = serializers.DashScopePolicyQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        self.note_ignored(query)
        key = self.actor.key
        if key is None:
            raise AuthenticationRequired
        return Response(
            render_policy(
                grant_issue(key=key),
                public_id=key.public_id,
                upload_host=self.base_url + reverse("dashscope-upload-file"),
                request_id=self.request_id,
            )
        )


def upload_body_limits() -> BodyLimits:
    """Return the limits of the body of an upload: one file and its form fields.

    The limits are small, because the sender is not known before the whole body has been read.
    """
    return BodyLimits(MAX_FORM_BYTES, serializers.upload_limits().max_bytes, cuts_files=True)


class UploadFileView(DashScopeView):
    """Store an uploaded file. The request needs a grant instead of an API key.

    A request whose Content-Length is too large is rejected before its body is read.
    """

    body_limits = staticmethod(upload_body_limits)

    authentication_classes = []
    permission_classes = []
    parser_classes = [MultiPartParser]

    @extend_schema(
        tags=["DashScope"],
        operation_id="dashscope_upload_file",
        summary="Upload a file under a policy",
        request={"multipart/form-data": serializers.DashScopeUploadFormSerializer},
        auth=[],
        responses={200: serializers.DashScopeAcknowledgedSerializer, **ERROR_RESPONSES},
    )
    def post(self, request: Request) -> Response:
        form = serializers.DashScopeUploadFormSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        name = form.validated_data["key"]
        granted = granted_key(
            policy=form.validated_data["policy"], signature=form.validated_data["Signature"], name=name
        )
        key = key_admitted(granted, request)
        try:
            source = accept_upload(form.validated_data.get("file"), limits=serializers.upload_limits())
        except ImageTooLarge as error:
            raise RequestTooLarge(error.message) from error
        actor = caller_of(request).key_actor(key)
        upload_store(actor=actor, source=source, upload_id=upload_id_of(name))
        return Response({"request_id": self.request_id})


class NothingView(NothingHere, DashScopeView):
    """Return an error with status 404 in DashScope's format for an unknown path."""
