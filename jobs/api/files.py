"""Download one stored file: with a signed link, with an API key, or in a signed-in browser."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from jobs.api.auth import HasScope
from jobs.api.native.base import NativeView
from jobs.api.problem import PROBLEM
from jobs.api.sending import file_response
from jobs.errors import AuthenticationRequired, LinkExpired, LinkInvalid, PermissionDenied
from jobs.models import Artifact
from jobs.results import storage
from jobs.results.downloads import download_note
from jobs.results.selectors import artifact_get, artifact_signed


class SignedOrScope(BasePermission):
    """Allow a request if its link has a valid signature, or if its caller has the scope `read`.

    If the signature is not valid and the request has no other authentication, raise LinkExpired or LinkInvalid.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if is_signed(request, view):
            return True
        if "signature" in request.query_params and request.auth is None and not request.user.is_authenticated:
            if _link_state(request, view) == "expired":
                raise LinkExpired("The link has expired; look at the job again for a new one.")
            raise LinkInvalid("The link's signature does not fit; use the link as it was given, or send a key.")
        return HasScope().has_permission(request, view)


def is_signed(request: Request, view: APIView) -> bool:
    """Return whether the query of the request contains a valid signature for the file that the path names."""
    return _link_state(request, view) == "valid"


def _link_state(request: Request, view: APIView) -> str:
    query = request.query_params
    return storage.link_state(view.kwargs["artifact_id"], query.get("until", ""), query.get("signature", ""))


class FileView(NativeView):
    """Send a stored file with headers that prevent browsers from running the file.

    No rate limit applies, because a gallery opens many files at once.
    """

    is_rated = False
    query_fields = None  # unknown parameters in a link are harmless
    permission_classes = [SignedOrScope]

    def perform_authentication(self, request: Request) -> None:
        """Authenticate the caller. If the signature is valid, ignore an invalid API key."""
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
        description="Accept is ignored. Answers `If-None-Match` with 304 and one `Range` with 206.",
        parameters=[
            OpenApiParameter("until", str),
            OpenApiParameter("signature", str),
            OpenApiParameter("download", str),
        ],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            304: None,
            416: None,
            "4XX": PROBLEM,
        },
    )
    def get(self, request: Request, artifact_id: UUID, name: str) -> HttpResponseBase:
        signed = is_signed(request, self)
        artifact = artifact_signed(artifact_id) if signed else artifact_get(self.actor, artifact_id)
        self._note(request, artifact)
        return file_response(request, artifact, as_attachment=bool(request.query_params.get("download")))

    def _note(self, request: Request, artifact: Artifact) -> None:
        """Record in the audit trail that the caller opened another user's file.

        Record nothing for a request with only a signed link, because the link does not identify the caller.
        """
        if request.auth is None and not request.user.is_authenticated:
            return
        with suppress(PermissionDenied):  # a user without a team, with a signed link
            download_note(actor=self.actor, artifact=artifact)
