"""Native API: store, list, export, import and preview the team's recipes, at /api/recipes/.

A recipe is a named set of rules that makes files from a cutout: canvas, background, shadow, format and size. Each
recipe has numbered versions.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast
from urllib.parse import quote

from django.http import FileResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.bodies import MarkedJson
from jobs.api.fields import Choice, KnownFieldsOnly
from jobs.api.problem import PROBLEM
from jobs.models import Scope
from jobs.recipes.notes import note_said
from jobs.recipes.rendering import SAMPLES, SampleRendering, file_chosen, finish_begin, sample_begin
from jobs.recipes.selectors import NamedRecipe, recipe_get, recipe_versions, recipes_of
from jobs.recipes.services import recipe_delete, recipe_save, recipes_import
from jobs.results.variants import Rendering
from jobs.work.selectors import image_at, job_get
from segmentation.finish.recipe import Recipe, recipe_schema

from .base import NativeView
from .documents import MomentField
from .picture import NOTES_HEADER

NOTES_SAID_HEADER = "Keyline-Notes-Translated"  # percent-encoded UTF-8, because headers are ASCII; one note a line

_BODY_HELP = "The recipe, as /api/recipes/schema describes it."


class RecipeRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    """The request fields to store a recipe under a name. If this name exists, the recipe is stored as a new version."""

    name = serializers.CharField(max_length=40, help_text="Lower-case letters, digits and hyphens.")
    recipe = serializers.JSONField(help_text=_BODY_HELP)


class RecipeSerializer(serializers.Serializer):
    """One version of a recipe (rules that finish a picture)."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    is_builtin = serializers.BooleanField()
    title = serializers.CharField(help_text="To show to people; built-in titles are in the language of the request.")
    recipe = serializers.DictField(help_text=_BODY_HELP)


class RecipeVersionSerializer(serializers.Serializer):
    """One row in the history of a recipe."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    is_deleted = serializers.BooleanField()
    created_by = serializers.CharField(allow_blank=True)
    created_at = MomentField()
    recipe = serializers.DictField(source="body", help_text=_BODY_HELP)


class RecipeListSerializer(serializers.Serializer):
    """All recipes that a team can use: first its own, then the built-in ones."""

    results = RecipeSerializer(many=True)


class RecipeVersionQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    version = serializers.IntegerField(min_value=1, required=False, help_text="By default the newest.")


class PreviewRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    """The request fields of a preview: a recipe that is not stored, and a picture of a job or a sample picture."""

    recipe = serializers.JSONField(help_text=_BODY_HELP)
    job = serializers.UUIDField(required=False, help_text="A job of the team; without it the sample is used.")
    position = serializers.IntegerField(min_value=0, required=False, help_text="Which picture of the job, from 0.")
    sample = Choice(choices=SAMPLES, default=SAMPLES[0])


class RecipesView(NativeView):
    """List the team's recipes (rules that finish a picture), or store a recipe."""

    parser_classes = [MarkedJson]

    @extend_schema(
        tags=["Native"],
        operation_id="recipes_list",
        summary="List the team's recipes and the built-in ones",
        responses={200: RecipeListSerializer, "4XX": PROBLEM},
    )
    def get(self, request: Request) -> Response:
        return Response({"results": [recipe_document(named) for named in recipes_of(self.actor)]})

    @extend_schema(
        tags=["Native"],
        operation_id="recipes_save",
        summary="Store a recipe; a name that exists gets a new version",
        request=RecipeRequestSerializer,
        responses={201: RecipeSerializer, "4XX": PROBLEM},
    )
    def post(self, request: Request) -> Response:
        body = RecipeRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        saved = recipe_save(actor=self.actor, name=values["name"], body=values["recipe"])
        return Response(recipe_document(saved), status=201)


class RecipeView(NativeView):
    """Return one recipe (rules that finish a picture), store its next version, or delete it."""

    query_fields = ("version",)
    parser_classes = [MarkedJson]

    @extend_schema(
        tags=["Native"],
        operation_id="recipes_get",
        summary="Get a recipe, by default its newest version",
        parameters=[RecipeVersionQuerySerializer],
        responses={200: RecipeSerializer, "4XX": PROBLEM},
    )
    def get(self, request: Request, name: str) -> Response:
        query = RecipeVersionQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(recipe_document(recipe_get(self.actor, name, query.validated_data.get("version"))))

    @extend_schema(
        tags=["Native"],
        operation_id="recipes_put",
        summary="Store the next version of a recipe; the body is the recipe",
        request=OpenApiTypes.OBJECT,
        responses={200: RecipeSerializer, "4XX": PROBLEM},
    )
    def put(self, request: Request, name: str) -> Response:
        return Response(recipe_document(recipe_save(actor=self.actor, name=name, body=request.data)))

    @extend_schema(
        tags=["Native"],
        operation_id="recipes_delete",
        summary="Delete a recipe; jobs that used it keep it",
        responses={204: None, "4XX": PROBLEM},
    )
    def delete(self, request: Request, name: str) -> Response:
        recipe_delete(actor=self.actor, name=name)
        return Response(status=204)


class RecipeVersionsView(NativeView):
    """List the versions of a recipe (rules that finish a picture)."""

    @extend_schema(
        tags=["Native"],
        operation_id="recipes_versions",
        summary="List all versions of one of the team's recipes, newest first",
        responses={200: RecipeVersionSerializer(many=True), "4XX": PROBLEM},
    )
    def get(self, request: Request, name: str) -> Response:
        rows = recipe_versions(self.actor, name)
        if not rows:
            recipe_get(self.actor, name)  # 404, except for a built-in recipe, which has one version
        return Response(RecipeVersionSerializer(rows, many=True).data)


class RecipeSchemaView(NativeView):
    """Return the JSON schema of a recipe (rules that finish a picture)."""

    @extend_schema(
        tags=["Native"],
        operation_id="recipes_schema",
        summary="The JSON schema (draft 2020-12) of a recipe",
        responses={200: OpenApiTypes.OBJECT, "4XX": PROBLEM},
    )
    def get(self, request: Request) -> Response:
        return Response(recipe_schema())


class RecipesExportView(NativeView):
    """Return the team's recipes as one JSON document, which can be imported into another team or site."""

    @extend_schema(
        tags=["Native"],
        operation_id="recipes_export",
        summary="All recipes of the team as one JSON object, by name",
        responses={200: OpenApiTypes.OBJECT, "4XX": PROBLEM},
    )
    def get(self, request: Request) -> Response:
        own = {named.name: named.recipe.to_json() for named in recipes_of(self.actor) if not named.is_builtin}
        return Response(own, headers={"Content-Disposition": 'attachment; filename="recipes.json"'})


class RecipesImportView(NativeView):
    """Store all recipes of an exported JSON document."""

    parser_classes = [MarkedJson]

    @extend_schema(
        tags=["Native"],
        operation_id="recipes_import",
        summary="Store recipes from an export, all or none",
        request=OpenApiTypes.OBJECT,
        responses={200: RecipeListSerializer, "4XX": PROBLEM},
    )
    def post(self, request: Request) -> Response:
        saved = recipes_import(
            actor=self.actor, bodies=cast("dict[str, Any]", request.data)
        )  # MarkedJson accepts no list
        return Response({"results": [recipe_document(named) for named in saved]})


class RecipePreviewView(NativeView):
    """Return a preview of a recipe at screen size. The preview and the recipe are not stored."""

    required_scopes = {"POST": (Scope.READ,)}
    is_submit = False
    parser_classes = [MarkedJson]

    @extend_schema(
        tags=["Native"],
        operation_id="recipes_preview",
        summary="Apply a recipe that is not stored to a result or a sample, at screen size",
        request=PreviewRequestSerializer,
        responses={
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            (200, "image/webp"): OpenApiTypes.BINARY,
            "4XX": PROBLEM,
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        body = PreviewRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values, recipe = body.validated_data, Recipe.read(body.validated_data["recipe"])
        rendering: Rendering | SampleRendering
        if "job" in values:
            image = image_at(job_get(self.actor, values["job"]), values.get("position"))
            options = image.cutout_options
            rendering = finish_begin(actor=self.actor, image=image, recipe=recipe, options=options, for_screen=True)
        else:
            rendering = sample_begin(actor=self.actor, sample=values["sample"], recipe=recipe)
        return self.when_done(rendering.future, then=partial(finished_response, rendering), left=rendering.drop)


def recipe_document(named: NamedRecipe) -> dict[str, Any]:
    """Return the JSON of one version of a recipe."""
    return {
        "name": named.name,
        "version": named.version,
        "is_builtin": named.is_builtin,
        "title": named.title,
        "recipe": named.recipe.to_json(),
    }


def finished_response(rendering: Rendering | SampleRendering, number: int = 1, name: str = "") -> FileResponse:
    """Return a response with one of the files that a recipe made, and delete the temporary file.

    Two headers contain the notes about the result, in English and in the language of the request.

    number: the number of the file, from 1.
    name: the file name for Content-Disposition; an empty string: no name.
    """
    finished = rendering.finished()
    chosen = file_chosen(finished, number)
    file = chosen.path.open("rb")
    chosen.path.unlink()
    response = FileResponse(file, content_type=chosen.content_type)
    response["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name)}" if name else "inline"
    if finished.notes:
        response[NOTES_HEADER] = "; ".join(finished.notes)
        response[NOTES_SAID_HEADER] = quote("\n".join(note_said(note) for note in finished.notes))
    return response
