"""Recipes, the descriptions of finished pictures. They are validated and frozen, and have a JSON schema.

This module does not import numpy or Django. Lengths are shares of the canvas or of the subject, so that one recipe fits
all pictures; names of lengths in pixels end with `_px`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from segmentation.errors import InvalidParameter, ParameterUnknown
from segmentation.names import known_names_hint
from segmentation.options import Color

MAX_SIDE_PX = 8192
MAX_OUTPUTS = 8
_LONGEST_NAME = 60  # characters of an invalid name in an error
NAME_FIELDS = ("name", "recipe", "n", "ext")
Share = Annotated[float, Field(ge=0, le=1)]
Shift = Annotated[float, Field(ge=-5, le=5)]


class _Part(BaseModel):
    """Base class of all parts of a recipe. It refuses unknown field names, and its instances are frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _color(value: object) -> str:
    try:
        return str(Color.parse(str(value)))
    except InvalidParameter:
        raise ValueError(f"{value!r:.40} is not a colour like #ffffff") from None


class Canvas(_Part):
    """Size of the finished picture: an exact size in pixels, an aspect ratio, or neither of them.

    Without an exact size, the canvas is as large as its content needs at the source's resolution.

    width_px, height_px: the exact size. Both or neither of them must be given.
    aspect: the ratio of width to height, such as `4:5`. None uses the aspect ratio of the content.
    min_side_px, max_side_px: limits of the longer side, used if there is no exact size.
    """

    width_px: int | None = Field(None, ge=16, le=MAX_SIDE_PX)
    height_px: int | None = Field(None, ge=16, le=MAX_SIDE_PX)
    aspect: str | None = Field(None, pattern=r"^[1-9]\d{0,3}:[1-9]\d{0,3}$", description="Width to height, as 4:5.")
    min_side_px: int = Field(16, ge=16, le=MAX_SIDE_PX)
    max_side_px: int = Field(MAX_SIDE_PX, ge=16, le=MAX_SIDE_PX)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.width_px is None) != (self.height_px is None):
            raise ValueError("give both width_px and height_px, or neither")
        if self.width_px is not None and self.aspect is not None:
            raise ValueError("give either pixels or an aspect ratio")
        if self.min_side_px > self.max_side_px:
            raise ValueError("min_side_px is larger than max_side_px")
        return self

    @property
    def ratio(self) -> float | None:
        """Return width divided by height, or None if the recipe states neither a size nor an aspect ratio."""
        if self.width_px is not None and self.height_px is not None:
            return self.width_px / self.height_px
        if self.aspect is None:
            return None
        width, height = self.aspect.split(":")
        return int(width) / int(height)


class Align(StrEnum):
    CENTER = "center"  # the middle of the subject's box in the middle of the canvas
    OPTICAL = "optical"  # the subject's centre of mass slightly above the middle
    GROUND = "ground"  # the subject stands on the ground line
    HEAD = "head"  # a portrait: crown and chin at fixed heights


class Head(_Part):
    """The placement of a head for identity documents. Lengths are shares of the canvas's height."""

    height: float = Field(0.7, gt=0.2, le=0.9, description="From chin to crown.")
    top: float = Field(0.1, ge=0.01, le=0.5, description="From the upper edge to the crown.")


class Placement(_Part):
    """The subject's place and size on the canvas.

    fill: how much of the canvas the subject fills, 0..1; None keeps the whole source in the picture.
    fill_by: how `fill` is measured. With `box`, it is the share of the canvas's width or height that the subject's box
    covers, the larger of the two. With `area`, it is the share of the canvas's area.
    margin: free space on each side, as a share of the canvas's shorter side.
    max_enlargement: the largest scale from source pixels to canvas pixels.
    zoom, shift: the user's changes, which are applied last. `shift` is (x, y), as shares of the canvas's width and
    height.
    """

    fill: float | None = Field(None, ge=0.05, le=1)
    fill_by: Literal["box", "area"] = "box"
    align: Align = Align.CENTER
    margin: float = Field(0, ge=0, le=0.45)
    ground: float = Field(0.92, ge=0.3, le=1, description="Height of the ground line, from above.")
    head: Head = Head()
    max_enlargement: float = Field(4, ge=1, le=16)
    zoom: float = Field(1, ge=0.05, le=8)
    shift: tuple[Shift, Shift] = (0, 0)


class TransparentBackground(_Part):
    type: Literal["transparent"] = "transparent"


class ColorBackground(_Part):
    type: Literal["color"] = "color"
    color: str = "#ffffff"

    _parse = field_validator("color", mode="before")(_color)


class GradientBackground(_Part):
    """A linear gradient.

    angle: the gradient's direction in degrees. 0 is from top to bottom, 90 is from left to right.
    """

    type: Literal["gradient"] = "gradient"
    start: str = "#ffffff"
    end: str = "#d9dde3"
    angle: float = Field(0, ge=0, lt=360)

    _parse = field_validator("start", "end", mode="before")(_color)


class PictureBackground(_Part):
    """One of the team's stored background pictures, by name.

    fit: `cover` fills the canvas and crops the picture, `contain` shows the whole picture.
    focus: the point, as shares of width and height, that stays visible when the picture is cropped.
    zoom: the factor by which the picture is larger than the size that just covers the canvas.

    With `contain`, focus and zoom have no effect.
    """

    type: Literal["picture"] = "picture"
    picture: str = Field(min_length=1, max_length=80)
    fit: Literal["cover", "contain"] = "cover"
    focus: tuple[Share, Share] = (0.5, 0.5)
    zoom: float = Field(1, ge=1, le=8)


class BlurredBackground(_Part):
    """The blurred original photo without its subject.

    strength: the blur's radius as a share of the photo's longer side.
    """

    type: Literal["blur"] = "blur"
    strength: float = Field(0.02, gt=0, le=0.1)


Background = Annotated[
    TransparentBackground | ColorBackground | GradientBackground | PictureBackground | BlurredBackground,
    Field(discriminator="type"),
]


class ShadowType(StrEnum):
    CONTACT = "contact"  # dark where the subject meets the ground
    DROP = "drop"  # the subject floats over the background
    CAST = "cast"  # the light projects the subject's outline onto the ground
    REFLECTION = "reflection"  # a reflecting ground


class Shadow(_Part):
    """A shadow, computed from the alpha only.

    strength: the opacity of its darkest place.
    softness: 0 is sharp, 1 is very soft.
    direction: where the light comes from, in degrees clockwise. 0 is from above. For a cast shadow, the direction is
    measured on the ground, and with 180 the light comes from the viewer's side. None uses the default of the shadow's
    type.
    elevation: the height of the light above the ground, in degrees. A lower light makes a longer shadow.
    distance: the distance between subject and drop shadow, as a share of the subject's height.
    """

    type: ShadowType = ShadowType.CONTACT
    strength: Share = 0.45
    softness: Share = 0.4
    color: str = "#000000"
    direction: float | None = Field(None, ge=0, lt=360)
    elevation: float = Field(40, ge=10, le=85)
    distance: float = Field(0.03, ge=0, le=0.5)

    _parse = field_validator("color", mode="before")(_color)


class Outline(_Part):
    """A line around the subject.

    width: the line's width as a share of the canvas's shorter side.
    """

    width: float = Field(0.01, gt=0, le=0.1)
    color: str = "#ffffff"

    _parse = field_validator("color", mode="before")(_color)


class Edges(_Part):
    """The adaptation of the subject's edge to its new background.

    key: refine alpha by colour if the original background is uniform, such as a green screen.
    despill: remove the old background's colour from the subject's edge.
    light_wrap: how much of the new background's light is drawn over the edge, 0..1.
    match_grain: add noise to the background, so that it has as much noise as the photo.
    """

    key: bool = False
    despill: bool = False
    light_wrap: Share = 0.0
    match_grain: bool = False


class Holes(StrEnum):
    MODEL = "model"  # keep the model's result
    KEEP = "keep"  # fill every hole that the subject encloses
    CUT = "cut"  # open holes that have the background's colour


class FileFormat(StrEnum):
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    PSD = "psd"  # background, shadow and subject as layers


class OutputFile(_Part):
    """One output file.

    quality: the quality of JPEG and WebP.
    min_bytes: if a JPEG or WebP file is smaller, its quality is increased until the file has this size. `max_bytes` has
    priority.
    max_bytes: if a JPEG or WebP file is larger, its quality is reduced until the file fits.
    name: the pattern of the file's name, with the fields of NAME_FIELDS.
    """

    format: FileFormat = FileFormat.JPEG
    quality: int = Field(90, ge=1, le=100)
    dpi: int = Field(72, ge=1, le=2400)
    color_profile: Literal["srgb", "none"] = "srgb"
    min_bytes: int | None = Field(None, ge=1024, le=100 * 2**20)
    max_bytes: int | None = Field(None, ge=1024, le=100 * 2**20)
    name: str = Field("{name}-{recipe}-{n}.{ext}", min_length=1, max_length=120)
    shadow_layer: bool = Field(False, description="Write the shadow alone, as a transparent PNG, instead.")

    @model_validator(mode="after")
    def _has_a_possible_size(self) -> Self:
        if self.min_bytes is not None and self.max_bytes is not None and self.min_bytes > self.max_bytes:
            raise ValueError("min_bytes is larger than max_bytes")
        return self

    @field_validator("name")
    @classmethod
    def _known_fields(cls, pattern: str) -> str:
        try:
            parts = list(Formatter().parse(pattern))
        except ValueError:
            raise ValueError("has a brace that is not closed") from None
        if any(name is not None and (name not in NAME_FIELDS or spec or how) for _, name, spec, how in parts):
            raise ValueError(f"may only name {', '.join('{' + name + '}' for name in NAME_FIELDS)}")
        shown = pattern.format(**dict.fromkeys(NAME_FIELDS, "x"))
        if "/" in shown or "\\" in shown or shown.startswith("."):
            raise ValueError("is the name of a file, not a path")
        return pattern


class Rules(_Part):
    """Requirements of a shop or of an authority, such as a passport office. Finished pictures are checked against them.

    None or an empty value means no requirement.

    min_fill, max_fill: limits of the share, 0..1, of the canvas's width or height that the subject's box covers. The
    larger of the two shares counts.
    min_side_px, max_side_px: limits of the longer side.
    min_short_side_px: the least length of the shorter side.
    background: the required colour of the border.
    source: where the rules were published.
    checked_on: the date when somebody last read the published rules.
    """

    min_fill: Share | None = None
    max_fill: Share | None = None
    min_side_px: int | None = None
    min_short_side_px: int | None = None
    max_side_px: int | None = None
    background: str | None = None
    allows_shadow: bool = True
    allows_transparency: bool = True
    aspect: str | None = None
    formats: tuple[FileFormat, ...] = ()
    min_bytes: int | None = None
    max_bytes: int | None = None
    source: str = ""
    checked_on: str = ""


class Recipe(_Part):
    """The description of a finished picture. One recipe can be applied to any number of pictures."""

    title: str = Field(min_length=1, max_length=80)
    canvas: Canvas = Canvas()
    placement: Placement = Placement()
    background: Background = TransparentBackground()
    shadow: Shadow | None = None
    outline: Outline | None = None
    edges: Edges = Edges()
    holes: Holes = Holes.MODEL
    outputs: tuple[OutputFile, ...] = Field((OutputFile(format=FileFormat.PNG),), min_length=1, max_length=MAX_OUTPUTS)
    rules: Rules | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        opaque = [output.format for output in self.outputs if output.format is FileFormat.JPEG]
        if opaque and isinstance(self.background, TransparentBackground):
            raise ValueError("outputs: jpeg cannot be transparent; choose a background or another format")
        names = [output.name for output in self.outputs]
        if len(set(names)) < len(names) and any("{n}" not in name for name in names):
            raise ValueError("outputs: two files would have the same name; use {n}")
        return self

    @classmethod
    def read(cls, data: object, *, within: str = "") -> Self:
        """Build a recipe from plain JSON types.

        within: the request's field that contains the recipe. It becomes the prefix of the invalid field's name.

        Raise InvalidParameter for an invalid recipe. The error names the invalid field.
        """
        if not isinstance(data, Mapping):
            raise InvalidParameter(f"{within or 'recipe'}: must be a JSON object", field=within or "recipe")
        try:
            return cls.model_validate(dict(data))
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False)
            # A misspelt name also leaves its field missing, so it is the better explanation.
            problem = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
            place = ".".join(([within] if within else []) + _names(problem["loc"])) or "recipe"
            if problem["type"] == "extra_forbidden":
                hint = known_names_hint(str(problem["loc"][-1]), _known_names(problem["loc"][:-1]))
                raise ParameterUnknown(f"{place} is not a field of a recipe; {hint}", field=place) from None
            reason = str(problem["msg"]).removeprefix("Value error, ")
            raise InvalidParameter(f"{place}: {reason}", field=place) from None

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as plain JSON types with all defaults, so that later changes of defaults have no effect."""
        return self.model_dump(mode="json")


def _names(location: tuple[int | str, ...]) -> list[str]:
    """Return the names on the path of an invalid field, from pydantic's `loc`, without the type of a background."""
    names = [str(part)[:_LONGEST_NAME] for part in location]
    if names[:1] == ["background"]:
        del names[1:2]
    return names


def _known_names(location: tuple[int | str, ...]) -> list[str]:
    """Return the names of the fields of a part of a recipe. location: its path, from pydantic's `loc`."""
    schema = Recipe.model_json_schema()
    parts = _alternatives(schema, schema)
    for step in location:
        # The chosen type of a background is on the path, but it is no property.
        chosen = [part for part in parts if part.get("properties", {}).get("type", {}).get("const") == step]
        if isinstance(step, int):
            inner = [part["items"] for part in parts if "items" in part]
        else:
            inner = chosen or [part["properties"][step] for part in parts if step in part.get("properties", {})]
        parts = [alternative for part in inner for alternative in _alternatives(part, schema)]
    return list(dict.fromkeys(name for part in parts for name in part.get("properties", {})))


def _alternatives(part: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the schemas that a part of a JSON schema allows, with references resolved."""
    if "$ref" in part:
        return _alternatives(schema["$defs"][part["$ref"].rpartition("/")[2]], schema)
    choices = [*part.get("anyOf", ()), *part.get("oneOf", ())]
    return [found for choice in choices for found in _alternatives(choice, schema)] if choices else [part]


def recipe_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a recipe."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Recipe.model_json_schema()}
