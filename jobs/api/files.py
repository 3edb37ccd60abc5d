"""Stage 9, rendering: open one stored file, by its signed link, by key or in the signed-in browser."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import FileResponse, HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from jobs.api.auth import HasScope
from jobs.api.native.views import PROBLEM, NativeView
from jobs.errors import AuthenticationRequired, PermissionDenied
from jobs.models import Artifact
from jobs.results import storage
from jobs.results.downloads import download_note
from jobs.results.selectors import artifact_get, artifact_signed


class SignedOrScope(BasePermission):
    """Let a valid signature in; else ask for the read scope."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return is_signed(request, view) or HasScope().has_permission(request, view)


def is_signed(request: Request, view: APIView) -> bool:
    query = request.query_params
    return storage.is_signed(view.kwargs["artifact_id"], query.get("until", ""), query.get("signature", ""))


class FileView(NativeView):
    """Send the file, never as anything a browser would run. A gallery opens many at once, so they are not rated."""

    is_rated = False
    permission_classes = [SignedOrScope]

    def perform_authentication(self, request: Request) -> None:
        """Find out who calls; a key that is no good shuts nothing that the signature opens."""
        try:
            super().perform_authentication(request)
        except (AuthenticationRequired, PermissionDenied):
            if not is_signed(request, self):
                raise
            request.user, request.auth = AnonymousUser(), None

    @extend_schema(
        tags=["Native"],
        operation_id="file_get",
        summary="Download a stored file",
        parameters=[
            OpenApiParameter("until", str),
            OpenApiParameter("signature", str),
            OpenApiParameter("download", str),
        ],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, "4XX": PROBLEM},
    )
    def get(self, request: Request, artifact_id: UUID, name: str) -> HttpResponseBase:
        signed = is_signed(request, self)
        artifact = artifact_signed(artifact_id) if signed else artifact_get(self.actor, artifact_id)
        self._note(request, artifact)
        return file_response(artifact, as_attachment=bool(request.query_params.get("download")))

    def _note(self, request: Request, artifact: Artifact) -> None:
        """Have it recorded when a known caller opens somebody else's file; a signed link alone names nobody."""
        if request.auth is None and not request.user.is_authenticated:
            return
        with suppress(PermissionDenied):  # a person without a team, by a signed link
            download_note(actor=self.actor, artifact=artifact)


def file_response(artifact: Artifact, *, as_attachment: bool) -> FileResponse:
    """Stream an artifact with headers that keep it a picture and private."""
    response = FileResponse(
        storage.open_file(artifact.key),
        content_type=artifact.content_type,
        filename=artifact.file_name,
        as_attachment=as_attachment,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, max-age=3600"
    response["ETag"] = f'"{artifact.sha256[:32]}"'
    return response
