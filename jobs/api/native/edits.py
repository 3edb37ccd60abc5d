"""Native API: validate the editor's state of a picture (an "edit") before it is stored."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers

from jobs.api.fields import Choice, KnownFieldsOnly
from segmentation.errors import InvalidParameter

from .fields import FinishField, json_in
from .serializers import CutoutOptionsSerializer

MAX_EDIT_BYTES = 512 * 1024
_MAX_SIDE = 1_000_000


class StrokeSerializer(KnownFieldsOnly, serializers.Serializer):
    """One stroke of the editor's brush.

    Width, blur and points are in pixels of a canvas that has the same proportions as the picture.
    """

    mode = Choice(choices=["erase", "restore"])
    width = serializers.FloatField(min_value=0, max_value=_MAX_SIDE)
    blur = serializers.FloatField(min_value=0, max_value=_MAX_SIDE)
    points = serializers.ListField(
        child=serializers.ListField(
            child=serializers.FloatField(min_value=-_MAX_SIDE, max_value=_MAX_SIDE), min_length=2, max_length=2
        ),
        min_length=1,
    )


class EditSerializer(KnownFieldsOnly, serializers.Serializer):
    """The editor's state of a picture: rendering options, ids of excluded people, brush strokes, and the finish.

    The finish is a recipe without a title. It describes canvas, placement, background, shadow and outline.
    """

    options = CutoutOptionsSerializer(required=False)
    dropped = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=255), required=False)
    strokes = StrokeSerializer(many=True, required=False)
    finish = FinishField(required=False, help_text="Canvas, placement, background, shadow and outline, as a recipe.")


class EditField(serializers.JSONField):
    """Field for the editor's state of a picture. The value is a JSON object; a form sends the object as a JSON string.

    The value is stored unchanged. Raise InvalidParameter if it is longer than MAX_EDIT_BYTES or has invalid fields.
    """

    def get_value(self, dictionary: Any) -> Any:
        return json_in(self.field_name, dictionary)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise InvalidParameter("edit: an object", field="edit")
        if len(json.dumps(data)) > MAX_EDIT_BYTES:
            raise InvalidParameter(f"edit: at most {MAX_EDIT_BYTES} bytes; remove some strokes", field="edit")
        checked = EditSerializer(data=data)
        checked.is_valid(raise_exception=True)
        if "options" in data:
            options = CutoutOptionsSerializer(data=data["options"])
            options.is_valid(raise_exception=True)
            options.to_options()
        return data
