"""Baidu-compatible API: the views that issue access tokens and cut out pictures."""

from __future__ import annotations

import secrets
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponseBase
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.accept import AlwaysJson
from jobs.api.auth import KeyAuthentication, NetworkAuthentication, key_admitted, key_opened_by, secret_in
from jobs.api.baidu.tokens import key_of_token, token_issue
from jobs.api.base import NothingHere, PublishedView
from jobs.api.bodies import JsonOrFormBody, ShortJsonOrFormBody
from jobs.api.body_limits import one_picture
from jobs.models import ApiKey, Job, JobImage
from jobs.teams.keys import SECRET_PREFIX
from jobs.work.submission import Door
from segmentation.errors import MattingError

from . import serializers
from .dialect import NAME
from .render import render_error, render_segment, render_token, render_token_error

LOG_ID_DIGITS = 18
ANSWER = PolymorphicProxySerializer(
    component_name="BaiduSegmentAnswer",
    serializers=[serializers.BaiduSegmentResultSerializer, serializers.BaiduSegmentErrorSerializer],
    resource_type_field_name=None,
)
TOKEN_ERRORS = {
    status: OpenApiResponse(serializers.BaiduTokenErrorSerializer, description=description)
    for status, description in {
        400: "invalid_request or unsupported_grant_type",
        401: "invalid_client: the id is unknown, or the secret is wrong",
        "4XX": "Any other fault of the request",
        "5XX": "server_error or temporarily_unavailable",
    }.items()
}
SEGMENT_EXAMPLES = [
    OpenApiExample("Find the subject", {"image": serializers.EXAMPLE_IMAGE, "method": "auto"}, request_only=True),
    OpenApiExample(
        "Cut out what is in the box, as a mask",
        {
            "image": serializers.EXAMPLE_IMAGE,
            "method": "control",
            "position": [[[20, 20], [108, 108]]],
            "return_form": "mask",
        },
        request_only=True,
    ),
    OpenApiExample("Cut out", {"log_id": "273849795323489016", "image": "iVBORw0KGgo…"}, response_only=True),
    OpenApiExample(
        "Refused",
        {"error_code": 282003, "error_msg": "missing parameters: position", "log_id": "273849795323489017"},
        response_only=True,
    ),
]


class TokenAuthentication(KeyAuthentication):
    """Authenticate a request by an access token in the query or in a header.

    The secret of an API key is accepted instead of an access token.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        token = request.query_params.get("access_token") or secret_in(request)
        if not token:
            return None
        if token.startswith(SECRET_PREFIX):
            return AnonymousUser(), key_opened_by(token, request)
        return AnonymousUser(), key_admitted(key_of_token(token), request)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describe the query parameter `access_token` for the OpenAPI document."""

    target_class = TokenAuthentication
    name = "accessToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        where = {"type": "apiKey", "in": "query", "name": "access_token"}
        return where | {"description": "An access token from /oauth/2.0/token, or the key's secret."}


class BaiduView(PublishedView):
    """Base class of the views of the Baidu-compatible API. Bodies are JSON or forms; responses and errors are JSON."""

    dialect = NAME
    content_negotiation_class = AlwaysJson
    renderer_classes = [JSONRenderer]
    parser_classes = [JsonOrFormBody]

    @cached_property
    def log_id(self) -> str:
        """Return a random number with LOG_ID_DIGITS digits, which identifies this request and its job."""
        lowest = 10 ** (LOG_ID_DIGITS - 1)
        return str(lowest + secrets.randbelow(9 * lowest))

    def render_error(self, error: MattingError, request: Request | None) -> Response:
        return render_error(error, log_id=self.log_id)


class OAuthView(BaiduView):
    """Base class of the views whose errors have the format of OAuth 2.0."""

    def render_error(self, error: MattingError, request: Request | None) -> Response:
        return render_token_error(error)


class TokenView(OAuthView):
    """Return a new access token for the public id and the secret of an API key."""

    authentication_classes = []
    permission_classes = []
    query_fields = None
    parser_classes = [ShortJsonOrFormBody]

    @extend_schema(
        tags=["Baidu"],
        operation_id="baidu_token_get",
        summary="Get an access token",
        parameters=[serializers.BaiduTokenRequestSerializer],
        auth=[],
        responses={200: serializers.BaiduTokenSerializer, **TOKEN_ERRORS},
    )
    def get(self, request: Request) -> Response:
        return self._answer(request.query_params)

    @extend_schema(
        tags=["Baidu"],
        operation_id="baidu_token_post",
        summary="Get an access token; the parameters may also be sent in the query",
        request={
            "application/x-www-form-urlencoded": serializers.BaiduTokenRequestSerializer,
            "application/json": serializers.BaiduTokenRequestSerializer,
        },
        auth=[],
        responses={200: serializers.BaiduTokenSerializer, **TOKEN_ERRORS},
    )
    def post(self, request: Request) -> Response:
        return self._answer({**dict(request.data), **request.query_params.dict()})

    def _answer(self, sent: Any) -> Response:
        body = serializers.BaiduTokenRequestSerializer(data=sent)
        body.is_valid(raise_exception=True)
        self.note_ignored(body)
        _, token = token_issue(public_id=body.validated_data["client_id"], secret=body.validated_data["client_secret"])
        return Response(render_token(token), headers={"Cache-Control": "no-store"})


class SegmentView(BaiduView):
    """Cut out one picture and wait for the result."""

    authentication_classes = [TokenAuthentication, NetworkAuthentication]
    query_fields = ("access_token", "aipSdk", "aipVersion")  # the vendor's SDK adds the last two
    body_limits = staticmethod(one_picture)

    @extend_schema(
        tags=["Baidu"],
        operation_id="baidu_segment",
        summary="Cut out the subject, or what is in the boxes",
        request={
            "application/json": serializers.BaiduSegmentSerializer,
            "application/x-www-form-urlencoded": serializers.BaiduSegmentSerializer,
        },
        examples=SEGMENT_EXAMPLES,
        responses={200: OpenApiResponse(ANSWER, description="The result, or the error: the status is always 200.")},
    )
    def post(self, request: Request) -> HttpResponseBase:
        body = serializers.BaiduSegmentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.note_ignored(body)
        job = self.submit(
            door=Door(dialect=NAME, urgency=Job.Urgency.INTERACTIVE, external_id=self.log_id),
            options=body.to_options(),
            sources=[body.to_source()],
            limits=serializers.limits(),
        )
        self.log_id = job.external_id  # a repeated request gets the log_id of the first one, which finds the job
        return self.when_picture(job, timeout_s=settings.MATTING_MAX_WAIT_S, then=self._answer)

    def _answer(self, image: JobImage) -> Response:
        return Response(render_segment(image, log_id=self.log_id))


class NothingView(NothingHere, BaiduView):
    """Return an error in Baidu's format for an unknown path."""


class OAuthNothingView(NothingHere, OAuthView):
    """Return an OAuth 2.0 error with status 404 for an unknown path that begins with `/oauth`."""
