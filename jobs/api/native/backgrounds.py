"""Native API: list, store, send and delete the team's background pictures, at /api/backgrounds/.

Recipes (rules that finish a picture) refer to a background picture by its name.
"""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.body_limits import one_picture
from jobs.api.fields import KnownFieldsOnly
from jobs.api.problem import PROBLEM
from jobs.models import BackgroundPicture
from jobs.recipes.rendering import background_begin
from jobs.recipes.selectors import backgrounds_of
from jobs.recipes.services import background_delete, background_save
from jobs.results.variants import done_rendering

from .base import NativeView
from .sources import accept_named


class BackgroundRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    name = serializers.CharField(max_length=80, help_text="The name that recipes use.")
    image = serializers.FileField(allow_empty_file=True, help_text="One picture.")


class BackgroundSerializer(serializers.ModelSerializer):
    class Meta:
        model = BackgroundPicture
        fields = ["name", "bytes", "width", "height", "created_at"]


class BackgroundsView(NativeView):
    """List the team's background pictures, or store a background picture."""

    parser_classes = [MultiPartParser]
    body_limits = staticmethod(one_picture)

    @extend_schema(
        tags=["Native"],
        operation_id="backgrounds_list",
        summary="List background pictures",
        responses={200: BackgroundSerializer(many=True), "4XX": PROBLEM},
    )
    def get(self, request: Request) -> Response:
        return Response(BackgroundSerializer(backgrounds_of(self.actor), many=True).data)

    @extend_schema(
        tags=["Native"],
        operation_id="backgrounds_save",
        summary="Store a background picture, in place of one of the same name",
        request={"multipart/form-data": BackgroundRequestSerializer},
        responses={201: BackgroundSerializer, "4XX": PROBLEM, "5XX": PROBLEM},
    )
    def post(self, request: Request) -> Response:
        body = BackgroundRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        source = accept_named(body.validated_data["image"], field="image")
        saved = background_save(actor=self.actor, name=body.validated_data["name"], source=source)
        return Response(BackgroundSerializer(saved).data, status=201)


class BackgroundView(NativeView):
    """Send a small copy of a background picture, or delete the background picture."""

    @extend_schema(
        tags=["Native"],
        operation_id="backgrounds_get",
        summary="Get a background picture, at screen size",
        responses={(200, "image/webp"): OpenApiTypes.BINARY, "4XX": PROBLEM, "5XX": PROBLEM},
    )
    def get(self, request: Request, name: str) -> HttpResponseBase:
        future = background_begin(actor=self.actor, name=name)
        return self.when_done(future, then=partial(_picture, future), left=future.cancel)

    @extend_schema(
        tags=["Native"],
        operation_id="backgrounds_delete",
        summary="Delete a background picture that no recipe uses",
        responses={204: None, "4XX": PROBLEM},
    )
    def delete(self, request: Request, name: str) -> Response:
        background_delete(actor=self.actor, name=name)
        return Response(status=204)


def _picture(future: Future[bytes]) -> HttpResponse:
    return HttpResponse(
        done_rendering(future), content_type="image/webp", headers={"Cache-Control": "private, no-cache"}
    )
