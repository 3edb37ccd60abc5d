"""Native API: the editor's state of a picture (an "edit"), which is validated before it is stored."""

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
    """One stroke of the brush. width, blur and points are in pixels of a canvas with the proportions of the picture."""

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
    """An edit: the options of the rendering, the ids of excluded people, the strokes of the brush, and the finish.

    The finish is a recipe without a title: canvas, placement, background, shadow and outline.
    """

    options = CutoutOptionsSerializer(required=False)
    dropped = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=255), required=False)
    strokes = StrokeSerializer(many=True, required=False)
    finish = FinishField(required=False, help_text="Canvas, placement, background, shadow and outline, as a recipe.")


class EditField(serializers.JSONField):
    """Field for an edit: an object, or in a form the same object as a JSON string. The edit is stored unchanged.

    Raise InvalidParameter if the edit is longer than MAX_EDIT_BYTES or has invalid fields.
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
