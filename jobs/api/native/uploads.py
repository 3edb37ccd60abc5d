"""Native API: `POST /api/uploads/` stores a picture before its job, so that a browser can show its progress."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.body_limits import one_picture
from jobs.api.problem import PROBLEM
from jobs.intake.sources import accept_upload
from jobs.intake.uploads import upload_store

from .base import NativeView


class UploadRequestSerializer(serializers.Serializer):
    image = serializers.FileField(allow_empty_file=True, help_text="One picture.")


class UploadSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    bytes = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    expires_at = serializers.DateTimeField()


class UploadsView(NativeView):
    """Check a picture and store it for one hour; a job refers to it in `upload`."""

    parser_classes = [MultiPartParser]
    body_limits = staticmethod(one_picture)

    @extend_schema(
        tags=["Native"],
        operation_id="uploads_create",
        summary="Send a picture ahead of its job",
        request={"multipart/form-data": UploadRequestSerializer},
        responses={201: UploadSerializer, "4XX": PROBLEM, "5XX": PROBLEM},
    )
    def post(self, request: Request) -> Response:
        source = accept_upload(request.FILES.get("image"))
        upload = upload_store(actor=self.actor, source=source)
        return Response(UploadSerializer(upload).data, status=201)
