"""Build problem documents (RFC 9457): the JSON of errors, with its schema and its media type."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from jobs.sentences import explained_error
from segmentation.errors import MattingError

MEDIA_TYPE = "application/problem+json"


class ProblemRenderer(JSONRenderer):
    """Render JSON with the media type of problem documents."""

    media_type = MEDIA_TYPE
    format = "problem"


class ProblemSerializer(serializers.Serializer):
    """An error as application/problem+json (RFC 9457)."""

    type = serializers.SerializerMethodField(help_text="URL of the error's description.")
    title = serializers.SerializerMethodField(help_text="What kind of error it is, in one sentence.")
    status = serializers.IntegerField(source="http_status", help_text="HTTP status.")
    detail = serializers.SerializerMethodField(help_text="What was wrong with this request.")
    code = serializers.CharField(help_text="Stable code of the error.")
    field = serializers.SerializerMethodField(help_text="The field of the request that was wrong; null: none alone.")
    scope = serializers.CharField(required=False, help_text="The scope that the key lacks.")
    request_id = serializers.CharField(required=False, help_text="Finds the request in the site's logs.")

    def get_type(self, error: MattingError) -> str:
        return f"/docs/errors#{error.code}"

    def get_title(self, error: MattingError) -> str:
        return gettext(error.public_message)

    def get_field(self, error: MattingError) -> str | None:
        return error.field or None

    def get_detail(self, error: MattingError) -> str:
        return explained_error(error)

    def to_representation(self, error: MattingError) -> dict[str, Any]:
        document = super().to_representation(error)
        if request_id := self.context.get("request_id"):
            document["request_id"] = request_id
        return document


PROBLEM = OpenApiResponse(ProblemSerializer, description="A problem document (RFC 9457).")


def problem_document(error: MattingError, *, request_id: str = "") -> dict[str, Any]:
    """Return the problem document of an error.

    request_id: the request's id in the site's logs; an empty id is left out.
    """
    return dict(ProblemSerializer(error, context={"request_id": request_id}).data)


def problem_response(error: MattingError, *, request_id: str = "") -> Response:
    """Return the response to an error: its problem document with its HTTP status.

    request_id: the request's id in the site's logs; an empty id is left out.
    """
    return Response(problem_document(error, request_id=request_id), status=error.http_status, content_type=MEDIA_TYPE)
