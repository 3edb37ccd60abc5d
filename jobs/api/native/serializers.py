"""Native API: the request fields, and their conversion to CutoutOptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request

from jobs.api.base import matting_error_of
from jobs.api.fields import Choice, KnownFieldsOnly, ShareOptionField, SwitchField, WholeOptionField
from jobs.errors import ParameterWithoutEffect
from jobs.models import Status
from jobs.models.dialects import dialect_choices
from segmentation.errors import InvalidParameter
from segmentation.options import (
    AlphaMode,
    CutoutOptions,
    Format,
    Metadata,
    Method,
    Output,
    Quality,
    Subject,
)

from .fields import BoxesField, FinishField, NamesField, OutputsField, PeopleField, PointsField

MAX_RECIPES_PER_JOB = 20
_OPTION_NAMES = tuple(CutoutOptions.__dataclass_fields__)


# The options that a single picture of a batch may have: they determine how its result is drawn.
OWN_OPTIONS = (
    "subject",
    "alpha_mode",
    "threshold",
    "erosion",
    "feathering",
    "decontaminate",
    "format",
    "background",
    "crop",
    "crop_margin",
)

# Options that have an effect only when the model runs.
_MODEL_OPTIONS = ("boxes", "points", "method", "subject", "quality", "refine")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class CutoutOptionsSerializer(serializers.Serializer):
    """The options of a cutout. Defaults and ranges come from the class CutoutOptions."""

    method = Choice(choices=list(Method), required=False, help_text="auto finds the subject.")
    boxes = BoxesField(required=False, help_text="Pixels of the upright picture: [left, top, right, bottom] each.")
    points = PointsField(
        required=False,
        help_text="Pixels of the upright picture: [x, y, 1] keeps what lies there, [x, y, 0] removes it. Alone they "
        "select the subject; with method `auto` or with boxes they correct what these find.",
    )
    subject = Choice(choices=list(Subject), required=False)
    quality = Choice(
        choices=list(Quality),
        required=False,
        help_text="Which model answers; without it the default of the team. auto: fine where fast is uncertain.",
    )
    alpha_mode = Choice(choices=list(AlphaMode), required=False)
    threshold = WholeOptionField("threshold", required=False)
    erosion = WholeOptionField("erosion", required=False)
    feathering = SwitchField(required=False)
    decontaminate = SwitchField(required=False)
    refine = SwitchField(required=False)
    outputs = OutputsField(required=False)
    format = Choice(choices=list(Format), required=False)
    metadata = Choice(
        choices=list(Metadata), required=False, help_text="keep: EXIF without the place; keep_gps: with it."
    )
    background = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=20)
    crop = SwitchField(required=False)
    crop_margin = ShareOptionField("crop_margin", required=False)

    def to_options(self) -> CutoutOptions:
        """Return the validated fields as CutoutOptions.

        If the request has no `method`, the method is `boxes` for a request with boxes, and `points` for a request with
        only points.
        """
        values = {name: value for name, value in self.validated_data.items() if name in _OPTION_NAMES}
        values["background"] = values.get("background") or None
        for name in ("outputs", "boxes"):
            if name in values:
                values[name] = tuple(values[name])
        if "method" not in values and values.get("boxes"):
            values["method"] = Method.BOXES
        elif "method" not in values and values.get("points"):
            values["method"] = Method.POINTS
        return CutoutOptions(**values)


class PictureSettingsSerializer(KnownFieldsOnly, CutoutOptionsSerializer):
    """The options that may differ between the pictures of one job.

    The options of the model run are the same for all pictures.
    """

    def get_fields(self) -> dict[str, serializers.Field]:
        return {name: field for name, field in super().get_fields().items() if name in OWN_OPTIONS}

    def to_settings(self) -> dict[str, Any]:
        """Return the validated options as JSON values. Options that were not sent are left out."""
        options = self.to_options().to_json()
        return {name: options[name] for name in self.validated_data}


class SettingsField(serializers.DictField):
    """Field for the options of single uploads: a JSON object `{upload_id: {option: value}}`."""

    child = PictureSettingsSerializer()

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping) or not all(isinstance(one, Mapping) for one in data.values()):
            raise InvalidParameter("settings: an object of options for each upload", field="settings")
        found = {}
        for upload, options in data.items():
            body = PictureSettingsSerializer(data=options)
            try:
                body.is_valid(raise_exception=True)
                found[str(UUID(str(upload)))] = body.to_settings()
            except ValueError:
                raise InvalidParameter(
                    f"settings: {upload!r:.60} is not the id of an upload", field="settings"
                ) from None
            except (serializers.ValidationError, InvalidParameter) as raised:
                error = matting_error_of(raised)
                error.message = f"settings: {error.message}"
                error.field = f"settings.{str(upload)[:36]}.{error.field}".removesuffix(".")
                raise error from None
        return found


class JobRequestSerializer(KnownFieldsOnly, CutoutOptionsSerializer):
    """The request fields of `POST /api/jobs/`: the pictures and the options.

    Pictures are files (the field `image` may be repeated), a zip of files, base64, URLs, or ids of earlier uploads.
    """

    image = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        required=False,
        write_only=True,
        help_text="One or many files (multipart).",
    )
    zip = serializers.FileField(
        required=False, allow_empty_file=True, write_only=True, help_text="Pictures in one .zip (multipart)."
    )
    image_base64 = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False),
        required=False,
        help_text="One or many pictures in base64 (JSON); a single string is accepted too.",
    )
    image_url = serializers.ListField(
        child=serializers.CharField(max_length=2048), required=False, help_text="One or many URLs of pictures."
    )
    upload = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="Ids of pictures sent to /api/uploads/ before."
    )
    settings = SettingsField(
        required=False,
        help_text="Options of single uploads that differ from the others', by the upload's id: how the result is "
        "drawn, not what the model is asked.",
    )
    callback_url = serializers.CharField(max_length=2048, required=False, allow_blank=True)
    recipe = NamesField(
        required=False,
        max_length=MAX_RECIPES_PER_JOB,
        help_text="Recipes that finish each picture, as `name` or `name@version`.",
    )

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)  # `to_options` rejects it with a message
        values = {name: data[name] for name in data}
        if hasattr(data, "getlist"):
            for name in ("image", "image_base64", "image_url", "upload", "recipe"):
                if name in data:
                    values[name] = data.getlist(name)
        for name in ("image_base64", "image_url", "upload"):
            if isinstance(values.get(name), str):
                values[name] = [values[name]]
        if isinstance(values.get("image"), UploadedFile):  # the body was a single picture
            values["image"] = [values["image"]]
        return super().to_internal_value(values)


class JobFormSerializer(JobRequestSerializer):
    """The form fields of `POST /api/jobs/`. This class is used only for the OpenAPI document."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        del fields["image_base64"], fields["settings"]
        fields |= {
            "image_url": serializers.CharField(required=False, help_text="URL of a picture; may be repeated."),
            "upload": serializers.UUIDField(required=False, help_text="Id from /api/uploads/; may be repeated."),
            "boxes": serializers.CharField(required=False, help_text="[[left, top, right, bottom], …] as JSON."),
            "outputs": serializers.CharField(required=False, help_text=f"Comma-separated: {', '.join(Output)}."),
            "recipe": serializers.CharField(required=False, help_text="Name of a recipe; may be repeated."),
        }
        return fields


class JobJsonSerializer(JobRequestSerializer):
    """The JSON fields of `POST /api/jobs/`. This class is used only for the OpenAPI document."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        del fields["image"], fields["zip"]
        return fields


class AgainRequestSerializer(KnownFieldsOnly, CutoutOptionsSerializer):
    """The request fields to run the model again on a stored picture."""

    position = serializers.IntegerField(
        min_value=0, required=False, help_text="Which picture of the job, from 0; by default the first that is left."
    )


class RenderingSerializer(AgainRequestSerializer):
    """The request fields to render a finished picture again with other options. The model does not run again."""

    brush = serializers.FileField(
        required=False, help_text="A gray PNG drawn over the alpha: 0 erases, 255 restores, 128 keeps."
    )
    recipe = serializers.CharField(
        required=False, max_length=60, help_text="Finish the picture by a recipe, as `name` or `name@version`."
    )
    finish = FinishField(
        required=False,
        help_text="Finish the picture by a recipe that is not stored, without a title; its first file is sent or kept.",
    )
    people = PeopleField(required=False, help_text="Which people of an `instances` job to keep, by id.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("recipe") and attrs.get("finish"):
            raise InvalidParameter("finish: give either a recipe's name or a finish", field="finish")
        return attrs

    def require_effect(self, submitted: CutoutOptions) -> None:
        """Raise ParameterWithoutEffect if the request changes an option that affects only the model run.

        submitted: the options with which the job was submitted.
        """
        values = self.validated_data
        for name in _MODEL_OPTIONS:
            if name in values and _plain(values[name]) != _plain(getattr(submitted, name)):
                raise ParameterWithoutEffect(
                    f"{name}: a variant cannot change it; send it to `again`, which runs the model",
                    field=name,
                )


class VariantRequestSerializer(RenderingSerializer):
    """The request fields of a variant (a finished picture, rendered with other options).

    The response is the file, or a link to the stored file.
    """

    keep = SwitchField(default=False, help_text="Store the rendering and answer its link.")
    for_screen = SwitchField(default=False, help_text="Render at screen size, faster; not for downloads.")
    output = serializers.IntegerField(
        min_value=1, default=1, help_text="Which file of the recipe is sent; `keep` stores all of them."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if attrs["keep"] and attrs["for_screen"]:
            raise ParameterWithoutEffect("for_screen: a kept rendering has its full size", field="for_screen")
        if attrs["output"] > 1 and (attrs["keep"] or not attrs.get("recipe")):
            reason = "`keep` stores all files" if attrs["keep"] else "only a `recipe` has several files"
            raise ParameterWithoutEffect(f"output: {reason}", field="output")
        return attrs


class JobFilterSerializer(KnownFieldsOnly, serializers.Serializer):
    """The filters and the page of `GET /api/jobs/`."""

    status = Choice(choices=Status.choices, required=False)
    dialect = Choice(choices=dialect_choices(), required=False)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)
    uncertainty_from = serializers.FloatField(
        required=False, min_value=0, max_value=1, help_text="Jobs with a picture at least this uncertain."
    )
    order = Choice(choices=["newest", "uncertain"], default="newest", help_text="uncertain: review these first.")
    page = serializers.IntegerField(min_value=1, max_value=100_000, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=20)


def with_query(request: Request, *, without: tuple[str, ...] = ()) -> Any:
    """Return the fields of the request's body, and add the query's fields that are not in the body.

    If the body is not an object, return it unchanged.

    without: the names of query fields that are not added.
    """
    query = {name: value for name, value in request.query_params.items() if name not in without}
    data = request.data
    if not query or not isinstance(data, Mapping):
        return data
    if isinstance(data, QueryDict):
        merged = data.copy()
        for name, value in query.items():
            if name not in merged:
                merged[name] = str(value)
        return merged
    return query | dict(data)


def in_format(body: CutoutOptionsSerializer, preferred: Format | None) -> CutoutOptions:
    """Return the options of a request. If the request names no format, use the format `preferred`.

    preferred: the format that the Accept header requests; None: use the default format.
    """
    options = body.to_options()
    if preferred is None or "format" in body.validated_data:
        return options
    return replace(options, format=preferred)
