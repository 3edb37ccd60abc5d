"""Native API: list, save, rename and delete the versions of a picture, and store the state of its editor.

A version is the first result, a later run of the model, or a saved edit.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.fields import KnownFieldsOnly
from jobs.api.problem import PROBLEM
from jobs.models import JobImage, Scope, Version
from jobs.results.variants import Rendering
from jobs.versions.keeping import edit_keep, version_delete, version_rename, version_save
from jobs.versions.selectors import FIRST, entry_of, run_image_of, version_at
from jobs.work.selectors import image_at, job_get
from segmentation.errors import InvalidParameter

from .base import NativeView
from .documents import (
    OpenedVersionSerializer,
    VersionSerializer,
    VersionsSerializer,
    job_document,
    version_document,
    versions_document,
)
from .edits import EditField
from .serializers import RenderingSerializer
from .variants import VariantsView

NAME_LENGTH = Version._meta.get_field("name").max_length


class VersionRequestSerializer(RenderingSerializer):
    """The request fields to save a rendering as a version of a picture.

    The field `edit` contains the state of the editor, which the editor restores when the version is opened.
    """

    name = serializers.CharField(max_length=NAME_LENGTH, required=False, allow_blank=True, default="")
    edit = EditField(required=False, default=dict)


class PositionSerializer(KnownFieldsOnly, serializers.Serializer):
    """The position of a picture in its job."""

    position = serializers.IntegerField(
        min_value=0, required=False, help_text="Which picture of the job, from 0; by default the first that is left."
    )


class NameSerializer(KnownFieldsOnly, serializers.Serializer):
    """The new name of a version."""

    name = serializers.CharField(max_length=NAME_LENGTH, allow_blank=True)


class EditRequestSerializer(PositionSerializer):
    """The request fields to store the state of the editor page for a picture.

    `version` is the number of the version that the user edits, and `edit` contains the unsaved changes. The editor page
    restores this state when the user opens the page again.
    """

    version = serializers.IntegerField(min_value=FIRST, default=FIRST)
    edit = EditField()


class _PictureView(NativeView):
    """Base class of views of one picture.

    The path contains the job's id, and the query contains the picture's position in the job.
    """

    query_fields: ClassVar[tuple[str, ...] | None] = ("position",)

    def entry(self, job_id: UUID, position: int | None = None) -> JobImage:
        if position is None:
            query = PositionSerializer(data=self.request.query_params)
            query.is_valid(raise_exception=True)
            position = query.validated_data.get("position")
        return entry_of(image_at(job_get(self.actor, job_id), position))


class VersionsView(VariantsView, _PictureView):
    """List the versions of a picture, or save a rendering as a new version."""

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_versions",
        summary="List the versions of a picture",
        parameters=[PositionSerializer],
        responses={200: VersionsSerializer, "4XX": PROBLEM},
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(versions_document(self.entry(job_id), base_url=self.base_url))

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_version_save",
        summary="Save a rendering as a version of a picture",
        description="The job is the picture's own, or a run of the model on it whose result is rendered.",
        request={"application/json": VersionRequestSerializer, "multipart/form-data": VersionRequestSerializer},
        responses={201: VersionSerializer, "4XX": PROBLEM},
    )
    def post(self, request: Request, job_id: UUID) -> HttpResponseBase:
        body = VersionRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        image = image_at(job_get(self.actor, job_id), body.validated_data.get("position"))
        body.require_effect(image.cutout_options)
        _, recipe = self.recipe_of(body)
        rendering = self.begin(body, image, recipe=recipe, with_thumbnail=True)
        return self.when_done(rendering.future, then=partial(self._saved, rendering, body), left=rendering.drop)

    def _saved(self, rendering: Rendering, body: VersionRequestSerializer) -> Response:
        values = body.validated_data
        entry = entry_of(rendering.image)
        version = version_save(
            image=entry, source=rendering.image, rendered=rendering.result(), edit=values["edit"], name=values["name"]
        )
        entry.refresh_from_db(fields=["shown_version"])
        return Response(version_document(entry, version, base_url=self.base_url), status=201)


class VersionView(_PictureView):
    """Return, rename or delete one version of a picture."""

    required_scopes = dict.fromkeys(("PATCH", "DELETE"), (Scope.SUBMIT, Scope.READ))

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_version",
        summary="Read one version, with the edit that the editor restores",
        parameters=[PositionSerializer],
        responses={200: OpenedVersionSerializer, "4XX": PROBLEM},
    )
    def get(self, request: Request, job_id: UUID, number: int) -> Response:
        entry = self.entry(job_id)
        version = None if number == FIRST else version_at(entry, number)
        shown = run_image_of(entry, version)
        result = job_document(shown.job, base_url=self.base_url, images=[shown])
        document = version_document(entry, version, base_url=self.base_url)
        return Response({**document, "edit": version.edit if version else {}, "result": result})

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_version_name",
        summary="Rename a version",
        parameters=[PositionSerializer],
        request=NameSerializer,
        responses={200: VersionSerializer, "4XX": PROBLEM},
    )
    def patch(self, request: Request, job_id: UUID, number: int) -> Response:
        body = NameSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        entry = self.entry(job_id)
        version = version_at(entry, number)
        version_rename(version=version, name=body.validated_data["name"])
        return Response(version_document(entry, version, base_url=self.base_url))

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_version_delete",
        summary="Delete a version with its files; the first result is deleted with its job",
        parameters=[PositionSerializer],
        responses={204: None, "4XX": PROBLEM},
    )
    def delete(self, request: Request, job_id: UUID, number: int) -> Response:
        if number == FIRST:
            raise InvalidParameter("number: the first result is deleted with its job", field="number")
        version_delete(actor=self.actor, version=version_at(self.entry(job_id), number))
        return Response(status=204)


class EditView(_PictureView):
    """Store the state of the editor page for a picture."""

    query_fields = ()
    required_scopes = {"PUT": (Scope.SUBMIT, Scope.READ)}

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_edit",
        summary="Store the state of the editor for a picture, to be restored when the page is opened again",
        request=EditRequestSerializer,
        responses={204: None, "4XX": PROBLEM},
    )
    def put(self, request: Request, job_id: UUID) -> Response:
        body = EditRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        entry = self.entry(job_id, values.get("position"))
        version = None if values["version"] == FIRST else version_at(entry, values["version"])
        edit_keep(image=entry, version=version, edit=values["edit"])
        return Response(status=204)
