"""Tests of recipes: unknown fields are rejected, JSON keeps all fields, and the published schema is correct."""

import jsonschema
import pytest

from segmentation.errors import InvalidParameter
from segmentation.finish.recipe import Recipe, recipe_schema

SQUARE = {
    "title": "Shop square",
    "canvas": {"width_px": 800, "height_px": 800},
    "placement": {"fill": 0.85, "align": "ground"},
    "background": {"type": "color", "color": "fff"},
    "shadow": {"type": "contact", "strength": 0.5},
    "outputs": [{"format": "jpeg", "max_bytes": 50_000}, {"format": "png"}],
}


def test_a_recipe_survives_the_way_through_json():
    recipe = Recipe.read(SQUARE)

    assert Recipe.read(recipe.to_json()) == recipe
    assert recipe.background.color == "#ffffff"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"treshold": 3}, "treshold"),
        ({"shadow": {"type": "contact", "strength": 3}}, "shadow.strength"),
        ({"canvas": {"width_px": 800}}, "canvas"),
        ({"canvas": {"aspect": "wide"}}, "canvas.aspect"),
        ({"background": {"type": "color", "color": "reddish"}}, "background.color"),
        ({"background": {"type": "gradient", "angle": 400}}, "background.angle"),
        ({"outline": {"color": "reddish"}}, "outline.color"),
        ({"placement": {"shift": [0, 9]}}, "placement.shift.1"),
        ({"placement": {"zoom": 0}}, "placement.zoom"),
        ({"background": {"type": "transparent"}}, "recipe"),
        ({"outputs": []}, "outputs"),
        ({"outputs": [{"name": "../{name}.{ext}"}]}, "outputs.0.name"),
        ({"outputs": [{"name": "{name.__class__}"}]}, "outputs.0.name"),
        ({"outputs": [{"name": "{name}.{ext}"}, {"name": "{name}.{ext}"}]}, "recipe"),
    ],
)
def test_what_is_off_is_named(change, field):
    with pytest.raises(InvalidParameter) as refused:
        Recipe.read(SQUARE | change)

    assert refused.value.field == field


def test_the_name_of_a_field_begins_with_that_of_the_request():
    with pytest.raises(InvalidParameter) as refused:
        Recipe.read(SQUARE | {"canvas": {"width_px": 1, "height_px": 800}}, within="finish")
    with pytest.raises(InvalidParameter) as refused_whole:
        Recipe.read([], within="finish")

    assert (refused.value.field, refused_whole.value.field) == ("finish.canvas.width_px", "finish")


def test_the_published_schema_accepts_a_recipe_and_refuses_an_unknown_name():
    schema = recipe_schema()
    jsonschema.Draft202012Validator.check_schema(schema)

    jsonschema.validate(SQUARE, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(SQUARE | {"treshold": 3}, schema)
