"""Native API: `POST /api/uploads/` stores a picture for a later job.

A browser can therefore show the upload progress of each picture before the user submits a job.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import PurePosixPath

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.bodies import RawBytes, RawPicture
from jobs.api.body_limits import one_picture
from jobs.api.fields import KnownFieldsOnly
from jobs.api.problem import PROBLEM
from jobs.api.submitting import idempotency_key, require_same_request
from jobs.errors import UploadNotFound
from jobs.intake.selectors import upload_get
from jobs.intake.sources import CheckedSource, clean_path
from jobs.intake.uploads import upload_store
from jobs.models import Upload
from segmentation.errors import InvalidParameter

from .base import IDEMPOTENCY_KEY, NativeView
from .sources import accept_named

_MAX_FOLDER = 400


class UploadRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    image = serializers.FileField(required=False, allow_empty_file=True, help_text="One picture.")
    folder = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=_MAX_FOLDER,
        help_text="The folder that it came from, such as `shoes/left`; zips of results keep it.",
    )


class UploadSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    bytes = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    expires_at = serializers.DateTimeField()


class UploadsView(NativeView):
    """Check a picture and store it for one hour. A later job refers to the picture by its id in the field `upload`."""

    parser_classes = [MultiPartParser, RawPicture, RawBytes]
    body_limits = staticmethod(one_picture)

    @extend_schema(
        tags=["Native"],
        operation_id="uploads_create",
        summary="Upload a picture for a later job",
        parameters=[IDEMPOTENCY_KEY],
        request={
            "multipart/form-data": UploadRequestSerializer,
            "image/*": OpenApiTypes.BINARY,
            "application/octet-stream": OpenApiTypes.BINARY,
        },
        responses={201: UploadSerializer, "4XX": PROBLEM, "5XX": PROBLEM},
    )
    def post(self, request: Request) -> Response:
        body = UploadRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        source = accept_named(body.validated_data.get("image"), field="image")
        path = PurePosixPath(body.validated_data.get("folder", "")) / source.name
        source = replace(source, name=clean_path(str(path)))
        upload = self._stored(source, idempotency_key(request))
        return Response(UploadSerializer(upload).data, status=201)

    def _stored(self, source: CheckedSource, key: str) -> Upload:
        """Store a picture and return the upload.

        If the same Idempotency-Key was used before, return the earlier upload. This works because the upload's id is
        computed from the key.
        """
        upload_id = uuid.uuid5(self.actor.team.pk, key) if key else uuid.uuid4()
        try:
            earlier = upload_get(self.actor, upload_id) if key else None
        except UploadNotFound:
            earlier = None
        if earlier is None:
            try:
                return upload_store(actor=self.actor, source=source, upload_id=upload_id)
            except InvalidParameter:  # a concurrent request with the same key has stored it
                earlier = upload_get(self.actor, upload_id)
        require_same_request(f"{earlier.sha256} {earlier.name}", f"{source.sha256} {source.name}")
        self.is_replay = True
        return earlier
