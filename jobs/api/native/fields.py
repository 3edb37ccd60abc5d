"""Native API: request fields whose formats differ between JSON and forms."""

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
    """Field for boxes in pixels, `[[left, top, right, bottom], …]`; in a form, the same as a JSON string."""

    child = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)

    def get_value(self, dictionary: Any) -> Any:
        return json_in(self.field_name, dictionary)

    def to_internal_value(self, data: Any) -> list[Box]:
        if not isinstance(data, list):
            raise InvalidParameter("boxes: a list of [left, top, right, bottom]", field="boxes")
        return [Box.parse(box) for box in data]


class PointsField(serializers.ListField):
    """Field for points in pixels, `[[x, y, 1], [x, y, 0], …]`, where 1 means keep and 0 means remove.

    In a form, the points are sent as a JSON string.
    """

    child = serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3)

    def get_value(self, dictionary: Any) -> Any:
        return json_in(self.field_name, dictionary)

    def to_internal_value(self, data: Any) -> list[Point]:
        if not isinstance(data, list):
            raise InvalidParameter("points: a list of [x, y, 1] or [x, y, 0]", field="points")
        return [Point.parse(point) for point in data]


def json_in(name: str | None, dictionary: Any) -> Any:
    """Return the value of the field `name` in a request, parsed if it is a string; `empty` if the field is missing.

    Raise InvalidParameter for a string that is not valid JSON.
    """
    value = dictionary.get(name, serializers.empty)
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise InvalidParameter(f"{name}: not valid JSON", field=str(name)) from None
    return value


class OutputsField(serializers.ListField):
    """Field for a list of outputs (`cutout`, `mask` and others); in a form, one comma-separated string."""

    child = Choice(choices=list(Output))

    def get_value(self, dictionary: Any) -> Any:
        value = dictionary.get(self.field_name, serializers.empty)
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class NamesField(serializers.ListField):
    """Field for a list of names or one string. A form repeats the field or separates the names by commas."""

    child = serializers.CharField(max_length=60)

    def get_value(self, dictionary: Any) -> Any:
        value = dictionary.get(self.field_name, serializers.empty)
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list) and all(isinstance(text, str) for text in value):
            return [part.strip() for text in value for part in text.split(",") if part.strip()]
        return value


class PeopleField(serializers.ListField):
    """Field for a list of ids of people.

    A form repeats the field or sends one comma-separated string, empty for no ids.
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
    """Field for a recipe that is not stored and needs no title: an object, or in a form the same as a JSON string."""

    TITLE = "Finish"

    def get_value(self, dictionary: Any) -> Any:
        return json_in(self.field_name, dictionary)

    def to_internal_value(self, data: Any) -> Recipe:  # type: ignore[override]  # the stubs know JSON types alone
        with_title = {"title": self.TITLE, **data} if isinstance(data, dict) else data
        return Recipe.read(with_title, within=self.field_name or "")
