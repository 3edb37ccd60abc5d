"""Native API: request fields that have one format in JSON and another format in forms."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers

from jobs.api.fields import Choice
from segmentation.errors import InvalidParameter
from segmentation.finish.recipe import Recipe
from segmentation.options import (
    Box,
    Output,
    Point,
)


class BoxesField(serializers.ListField):
    """Field for boxes in pixels: `[[left, top, right, bottom], …]`. A form sends the boxes as a JSON string."""

    child = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)

    def get_value(self, dictionary: Any) -> Any:
        return json_in(self.field_name, dictionary)

    def to_internal_value(self, data: Any) -> list[Box]:
        if not isinstance(data, list):
            raise InvalidParameter("boxes: a list of [left, top, right, bottom]", field="boxes")
        return [Box.parse(box) for box in data]


class PointsField(serializers.ListField):
    """Field for points in pixels: `[[x, y, 1], [x, y, 0], …]`, where 1 means keep and 0 means remove.

    A form sends the points as a JSON string.
    """

    child = serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3)

    def get_value(self, dictionary: Any) -> Any:
        return json_in(self.field_name, dictionary)

    def to_internal_value(self, data: Any) -> list[Point]:
        if not isinstance(data, list):
            raise InvalidParameter("points: a list of [x, y, 1] or [x, y, 0]", field="points")
        return [Point.parse(point) for point in data]


def json_in(name: str | None, dictionary: Any) -> Any:
    """Return the value of the request field `name`. If the value is a string, parse it as JSON.

    Return `serializers.empty` if the field is missing. Raise InvalidParameter if the string is not valid JSON.
    """
    value = dictionary.get(name, serializers.empty)
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise InvalidParameter(f"{name}: not valid JSON", field=str(name)) from None
    return value


class OutputsField(serializers.ListField):
    """Field for a list of outputs, such as `cutout` and `mask`. A form sends one comma-separated string."""

    child = Choice(choices=list(Output))

    def get_value(self, dictionary: Any) -> Any:
        value = dictionary.get(self.field_name, serializers.empty)
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class NamesField(serializers.ListField):
    """Field for a list of names, or for one name.

    A form sends the field several times, or separates the names by commas.
    """

    child = serializers.CharField(max_length=60)

    def get_value(self, dictionary: Any) -> Any:
        value = dictionary.get(self.field_name, serializers.empty)
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list) and all(isinstance(text, str) for text in value):
            return [part.strip() for text in value for part in text.split(",") if part.strip()]
        return value


class PeopleField(serializers.ListField):
    """Field for a list of ids of people in a picture.

    A form sends the field several times, or sends one comma-separated string. An empty string means no ids.
    """

    child = serializers.IntegerField(min_value=1, max_value=255)

    def get_value(self, dictionary: Any) -> Any:
        if hasattr(dictionary, "getlist") and self.field_name in dictionary:
            value = ",".join(dictionary.getlist(self.field_name))
        else:
            value = dictionary.get(self.field_name, serializers.empty)
        if isinstance(value, str):
            return value.split(",") if value.strip() else []
        return value


class FinishField(serializers.JSONField):
    """Field for a recipe (rules that finish a picture) that is not stored and needs no title.

    The value is a JSON object. A form sends the object as a JSON string.
    """

    TITLE = "Finish"

    def get_value(self, dictionary: Any) -> Any:
        return json_in(self.field_name, dictionary)

    def to_internal_value(self, data: Any) -> Recipe:  # type: ignore[override]  # the stubs know JSON types alone
        with_title = {"title": self.TITLE, **data} if isinstance(data, dict) else data
        return Recipe.read(with_title, within=self.field_name or "")
