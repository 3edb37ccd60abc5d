"""Stage 2, parameters: the native API's fields, from the wire to CutoutOptions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from jobs.api.fields import SwitchField
from segmentation.errors import InvalidParameter
from segmentation.options import AlphaMode, Box, CutoutOptions, Format, Method, Output, Point, Subject

_OPTION_NAMES = tuple(CutoutOptions.__dataclass_fields__)


class BoxesField(serializers.ListField):
    """Take `[[left, top, right, bottom], …]`; in a form the same as a JSON string."""

    child = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)

    def get_value(self, dictionary: Any) -> Any:
        return json_in(self.field_name, dictionary)

    def to_internal_value(self, data: Any) -> tuple[Box, ...]:
        if not isinstance(data, list):
            raise InvalidParameter("boxes: a list of [left, top, right, bottom]", field="boxes")
        return tuple(Box.parse(box) for box in data)


class PointsField(serializers.ListField):
    """Take `[[x, y, 1], [x, y, 0], …]`, 1 to keep and 0 to remove; in a form the same as a JSON string."""

    child = serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3)

    def get_value(self, dictionary: Any) -> Any:
        return json_in(self.field_name, dictionary)

    def to_internal_value(self, data: Any) -> tuple[Point, ...]:
        if not isinstance(data, list):
            raise InvalidParameter("points: a list of [x, y, 1] or [x, y, 0]", field="points")
        return tuple(Point.parse(point) for point in data)


def json_in(name: str, dictionary: Any) -> Any:
    """Return a field as sent, read as JSON where a form sent it as text; raise InvalidParameter for bad JSON."""
    value = dictionary.get(name, serializers.empty)
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise InvalidParameter(f"{name}: not valid JSON", field=name) from None
    return value


class OutputsField(serializers.ListField):
    """Take a list, or in a form one comma-separated string."""

    child = serializers.ChoiceField(choices=list(Output))

    def get_value(self, dictionary: Any) -> Any:
        value = dictionary.get(self.field_name, serializers.empty)
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class PeopleField(serializers.ListField):
    """Take a list of ids; a form repeats the field, or has them in one comma-separated string, empty for nobody."""

    child = serializers.IntegerField(min_value=1, max_value=255)

    def get_value(self, dictionary: Any) -> Any:
        if hasattr(dictionary, "getlist") and self.field_name in dictionary:
            value = ",".join(dictionary.getlist(self.field_name))
        else:
            value = dictionary.get(self.field_name, serializers.empty)
        if isinstance(value, str):
            return value.split(",") if value.strip() else []
        return value


class CutoutOptionsSerializer(serializers.Serializer):
    """Describe the parameters; ranges are checked by CutoutOptions itself, so that they stand in one place."""

    method = serializers.ChoiceField(choices=list(Method), required=False, help_text="auto finds the subject.")
    boxes = BoxesField(required=False, help_text="Pixels of the upright picture: [left, top, right, bottom] each.")
    points = PointsField(
        required=False,
        help_text="Pixels of the upright picture: [x, y, 1] keeps what lies there, [x, y, 0] removes it. Alone they "
        "select the subject; with method `auto` or with boxes they correct what these find.",
    )
    subject = serializers.ChoiceField(choices=list(Subject), required=False)
    alpha_mode = serializers.ChoiceField(choices=list(AlphaMode), required=False)
    threshold = serializers.IntegerField(min_value=0, max_value=50, required=False)
    erosion = serializers.IntegerField(min_value=0, max_value=5, required=False)
    feathering = SwitchField(required=False)
    decontaminate = SwitchField(required=False)
    refine = SwitchField(required=False)
    outputs = OutputsField(required=False)
    format = serializers.ChoiceField(choices=list(Format), required=False)
    background = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=20)
    crop = SwitchField(required=False)
    crop_margin = serializers.FloatField(min_value=0, max_value=0.5, required=False)

    def to_options(self) -> CutoutOptions:
        """Build the frozen options from what was sent and valid."""
        values = {name: value for name, value in self.validated_data.items() if name in _OPTION_NAMES}
        values["background"] = values.get("background") or None
        if "outputs" in values:
            values["outputs"] = tuple(values["outputs"])
        if "method" not in values and values.get("boxes"):
            values["method"] = Method.BOXES
        elif "method" not in values and values.get("points"):
            values["method"] = Method.POINTS
        return CutoutOptions(**values)


class JobRequestSerializer(CutoutOptionsSerializer):
    """Describe `POST /api/jobs/`: pictures as files (`image`, repeatable) or as base64, and the parameters."""

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
        help_text="One or many pictures in base64 (JSON); a single string is taken too.",
    )
    image_url = serializers.ListField(
        child=serializers.CharField(max_length=2048), required=False, help_text="One or many addresses of pictures."
    )
    upload = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="Pictures sent ahead to /api/uploads/, by id."
    )
    callback_url = serializers.CharField(max_length=2048, required=False, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)  # which refuses it in words
        values = {name: data[name] for name in data}
        if hasattr(data, "getlist"):
            for name in ("image", "image_base64", "image_url", "upload"):
                if name in data:
                    values[name] = data.getlist(name)
        for name in ("image_base64", "image_url", "upload"):
            if isinstance(values.get(name), str):
                values[name] = [values[name]]
        return super().to_internal_value(values)


class AgainRequestSerializer(CutoutOptionsSerializer):
    """Describe a new run of the model on a picture that is already here."""

    position = serializers.IntegerField(
        min_value=0, required=False, help_text="Which picture of the job, from 0; the first that is left by default."
    )


class VariantRequestSerializer(AgainRequestSerializer):
    """Describe a new rendering of a finished picture; the model does not run again."""

    keep = SwitchField(default=False, help_text="Store the rendering and answer its link.")
    brush = serializers.FileField(
        required=False, help_text="A gray PNG drawn over the alpha: 0 erases, 255 restores, 128 keeps."
    )
    people = PeopleField(required=False, help_text="Which people of an `instances` job to keep, by id.")


class JobFilterSerializer(serializers.Serializer):
    """Describe the filters and the page of `GET /api/jobs/`."""

    status = serializers.CharField(required=False, max_length=12)
    dialect = serializers.CharField(required=False, max_length=12)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)
    page = serializers.IntegerField(min_value=1, max_value=100_000, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=20)


class FileSerializer(serializers.Serializer):
    kind = serializers.CharField()
    url = serializers.CharField()
    content_type = serializers.CharField()
    bytes = serializers.IntegerField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)


class ProblemInlineSerializer(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()


class ImageSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    position = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    status = serializers.CharField()
    error = ProblemInlineSerializer(allow_null=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    foreground = serializers.ListField(child=serializers.IntegerField(), allow_null=True)
    subject = serializers.CharField(allow_blank=True)
    uncertainty = serializers.FloatField(allow_null=True)
    instances = serializers.ListField(child=serializers.DictField())
    notes = serializers.ListField(child=serializers.CharField())
    timings_ms = serializers.DictField(child=serializers.FloatField())
    model = serializers.CharField(allow_blank=True)
    files = FileSerializer(many=True)


class JobSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    status = serializers.CharField()
    dialect = serializers.CharField()
    options = serializers.DictField()
    error = ProblemInlineSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    images_total = serializers.IntegerField()
    images_succeeded = serializers.IntegerField()
    images_failed = serializers.IntegerField()
    images = ImageSerializer(many=True)


class JobPageSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    results = JobSerializer(many=True)


class ProblemSerializer(serializers.Serializer):
    """Describe an error: application/problem+json, RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    field = serializers.CharField(required=False)
    request_id = serializers.CharField(required=False)
