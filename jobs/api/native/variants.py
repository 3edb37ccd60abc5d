"""Native API: `variants` renders a stored result with other options, and `again` runs the model again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import UUID

from django.http import FileResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.accept import preferred_format
from jobs.api.bodies import MarkedJson
from jobs.api.body_limits import one_picture
from jobs.api.problem import PROBLEM
from jobs.api.submitting import idempotency_key, request_digest
from jobs.models import Job, JobImage, Scope
from jobs.recipes.rendering import background_of, finish_keep
from jobs.recipes.selectors import NamedRecipe, recipe_named
from jobs.results.variants import MAX_BRUSH_BYTES, Rendering, variant_begin, variant_keep
from jobs.work.rerun import image_rerun
from jobs.work.selectors import image_at, job_get
from jobs.work.submission import Door
from segmentation.finish.recipe import Recipe

from .base import IDEMPOTENCY_KEY, JOB_QUERY, WAIT, NativeView
from .documents import FileSerializer, JobSerializer, file_document
from .recipes import finished_response
from .serializers import AgainRequestSerializer, RenderingSerializer, VariantRequestSerializer, in_format

KEPT_LINK_TTL_S = 7 * 24 * 3600  # stored renderings are visible to other users


class KeptFinishedSerializer(serializers.Serializer):
    """The stored files that a recipe made. `notes` names the rules of the recipe that the files break."""

    recipe = serializers.CharField()
    version = serializers.IntegerField()
    files = FileSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())


class VariantsView(NativeView):
    """Render a finished picture with other options. Return the file, or with `keep` a link to the stored file."""

    required_scopes = {"POST": (Scope.SUBMIT, Scope.READ)}
    body_limits = staticmethod(one_picture)
    parser_classes = [MultiPartParser, FormParser, MarkedJson]

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_variant",
        summary="Render a finished picture with other options, without the model and without a charge",
        request={"application/json": VariantRequestSerializer, "multipart/form-data": VariantRequestSerializer},
        responses={
            (200, "image/png"): OpenApiTypes.BINARY,
            201: PolymorphicProxySerializer(
                "KeptVariant", [FileSerializer, KeptFinishedSerializer], resource_type_field_name=None
            ),
            "4XX": PROBLEM,
        },
    )
    def post(self, request: Request, job_id: UUID) -> HttpResponseBase:
        body = VariantRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        image = image_at(job_get(self.actor, job_id), body.validated_data.get("position"))
        body.require_effect(image.cutout_options)
        values = body.validated_data
        named, recipe = self.recipe_of(body)
        rendering = self.begin(body, image, recipe=recipe)
        answer: Callable[[], HttpResponseBase]
        if named is None:
            answer = partial(self._answer, rendering, keeps=values["keep"])
        elif values["keep"]:
            answer = partial(self._kept, rendering, named)
        else:
            answer = partial(finished_response, rendering, values["output"])
        return self.when_done(rendering.future, then=answer, left=rendering.drop)

    def recipe_of(self, body: RenderingSerializer) -> tuple[NamedRecipe | None, Recipe | None]:
        """Return two values: the stored recipe that the request names, and the recipe to apply.

        The recipe to apply is the named recipe or the recipe in the field `finish`. Each value is None if the request
        contains no such recipe.
        """
        values = body.validated_data
        named = recipe_named(self.actor, values["recipe"]) if values.get("recipe") else None
        return named, named.recipe if named else values.get("finish")

    def begin(
        self,
        body: RenderingSerializer,
        image: JobImage,
        *,
        recipe: Recipe | None = None,
        with_thumbnail: bool = False,
    ) -> Rendering:
        """Start the rendering that a request describes, and return the running rendering.

        recipe: the recipe that finishes the picture; None: render a cutout.
        with_thumbnail: whether to render a thumbnail too.
        """
        values = body.validated_data
        brush = values.get("brush")
        return variant_begin(
            actor=self.actor,
            image=image,
            options=in_format(body, preferred_format(self.request)),
            brush_png=brush.read(MAX_BRUSH_BYTES + 1) if brush else b"",
            people=values.get("people"),
            for_screen=values.get("for_screen", False) and not values.get("keep", False),
            with_thumbnail=with_thumbnail,
            recipe=recipe,
            background=None if recipe is None else background_of(image.job.team, recipe),
        )

    def _answer(self, rendering: Rendering, *, keeps: bool) -> HttpResponseBase:
        rendered = rendering.result()
        if keeps:
            kept = variant_keep(image=rendering.image, rendered=rendered)
            return Response(file_document(kept, base_url=self.base_url, link_ttl_s=KEPT_LINK_TTL_S), status=201)
        file = rendered.path.open("rb")
        rendered.path.unlink()
        response = FileResponse(file, content_type=rendered.content_type)
        response.headers.pop("Content-Disposition", None)
        response["Server-Timing"] = ", ".join(f"{name};dur={ms:.1f}" for name, ms in rendered.timings_ms.items())
        return response

    def _kept(self, rendering: Rendering, named: NamedRecipe) -> Response:
        finished = rendering.finished()
        kept = finish_keep(image=rendering.image, named=named, finished=finished)
        files = [file_document(file, base_url=self.base_url, link_ttl_s=KEPT_LINK_TTL_S) for file in kept]
        body = {"recipe": named.name, "version": named.version, "files": files, "notes": list(finished.notes)}
        return Response(body, status=201)


class AgainView(NativeView):
    """Run the model again on a stored picture. The result becomes a new version of this picture."""

    query_fields = JOB_QUERY
    required_scopes = {"POST": (Scope.SUBMIT, Scope.READ)}

    @extend_schema(
        tags=["Native"],
        operation_id="jobs_again",
        summary="Run the model on a picture again with other settings, as a version of it",
        description=(
            "The answer is a job of its own, which the list of jobs leaves out and which ends with the picture. The "
            "first runs of a picture cost nothing more; see `free_corrections_left` of its versions."
        ),
        parameters=[WAIT, IDEMPOTENCY_KEY],
        request=AgainRequestSerializer,
        responses={200: JobSerializer, 202: JobSerializer, "4XX": PROBLEM, "5XX": PROBLEM},
    )
    def post(self, request: Request, job_id: UUID) -> HttpResponseBase:
        wait_s = self.wait_s()
        body = AgainRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        actor = self.actor
        image = image_at(job_get(actor, job_id), body.validated_data.get("position"))
        options, key = body.to_options(), idempotency_key(request)
        door = Door(
            dialect=Job.Dialect.WEB if request.auth is None else Job.Dialect.NATIVE,
            urgency=Job.Urgency.INTERACTIVE if wait_s else Job.Urgency.DEFAULT,
            idempotency_key=key,
        )
        if key:
            door = replace(door, request_hash=request_digest(door, options, (), f"again {image.pk}"))
        job = self.submit_once(door, partial(image_rerun, actor=actor, image=image, options=options, door=door))
        return self.when_ended(job, timeout_s=wait_s, then=self.answer) if wait_s else self.answer(job)
