"""rembg-compatible API: convert request fields to CutoutOptions and a source."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from rest_framework import serializers

from jobs.api.fields import BlankAsDefault, SwitchField
from jobs.api.links import source_of_url
from jobs.errors import ParameterMissing
from jobs.inference.quality import model_names, role_of
from jobs.intake.sources import Source, accept_upload
from segmentation.errors import InvalidParameter
from segmentation.options import AlphaMode, Box, Color, CutoutOptions, Method, Output, Point, Quality

HALF = 25  # the `threshold` of CutoutOptions that means alpha 0.5
# These fields are validated, but have no effect: the refinement of this site has no such parameters.
WITHOUT_EFFECT = ("af", "ab", "ae")


class ModelUnknown(InvalidParameter):
    public_message = "The model is not installed."


class RembgSerializer(BlankAsDefault, serializers.Serializer):
    """The request fields to cut out a picture.

    A GET request has them in the query. A POST request has them in the form and in the query.
    """

    model = serializers.CharField(required=False, max_length=80, help_text="The model to use; by default the site's.")
    a = SwitchField(required=False, help_text="Refine the edge (alpha matting).")
    af = serializers.IntegerField(min_value=0, max_value=255, required=False, help_text="Without effect.")
    ab = serializers.IntegerField(min_value=0, max_value=255, required=False, help_text="Without effect.")
    ae = serializers.IntegerField(min_value=0, required=False, help_text="Without effect.")
    om = SwitchField(default=False, help_text="Answer only the mask.")
    ppm = SwitchField(default=False, help_text="Cut the mask at one half and smooth it.")
    dc = SwitchField(required=False, help_text="Remove the old background's colour from the edge.")
    vm = SwitchField(required=False, help_text="The finest edge: the fine model, where one is active.")
    bgc = serializers.CharField(required=False, max_length=40, help_text="Background as r,g,b,a, each 0 to 255.")
    extras = serializers.CharField(
        required=False,
        max_length=20_000,
        help_text='JSON; "sam_prompt" has rectangles and points of the subject, "recipe" the name of a recipe.',
    )

    def to_options(self) -> CutoutOptions:
        """Return the options of the cutout.

        The options contain only an opaque background. A partly transparent background is drawn later, for the response.
        """
        values = self.validated_data
        boxes, points = _prompts(values.get("extras", ""))
        color = self.background()
        is_opaque = color is not None and color[3] == 255
        options = CutoutOptions(
            method=Method.BOXES if boxes else Method.POINTS if points else Method.AUTO,
            boxes=boxes,
            points=points,
            alpha_mode=AlphaMode.BINARY if values["ppm"] else AlphaMode.SOFT,
            threshold=HALF if values["ppm"] else CutoutOptions().threshold,
            feathering=values["ppm"],
            refine=values.get("a", True),
            decontaminate=values.get("dc", True),
            outputs=(Output.MASK if values["om"] else Output.CUTOUT,),
            background=Color(*color[:3]) if color is not None and is_opaque else None,
        )
        return replace(options, quality=self._quality(options))

    def _quality(self, options: CutoutOptions) -> Quality | None:
        """Return the quality whose model the request names; None: use the default quality.

        Raise ModelUnknown if the named model is not active.
        """
        values = self.validated_data
        names = model_names(role_of(options))
        if "model" in values:
            quality = next((quality for quality, name in names.items() if name == values["model"]), None)
            if quality is None:
                raise ModelUnknown(
                    f"model: {values['model']!r:.60} is not active here, {', '.join(sorted(names.values()))} is; an "
                    "operator installs others with `manage.py fetch_weights` and activates them in the admin",
                    field="model",
                )
            return quality
        return Quality.FINE if values.get("vm") and Quality.FINE in names else None

    def background(self) -> tuple[int, int, int, int] | None:
        """Return the background as red, green, blue and alpha, each from 0 to 255; None if the request has none.

        Raise InvalidParameter if `bgc` is not four whole numbers from 0 to 255.
        """
        text = self.validated_data.get("bgc")
        if text is None:
            return None
        parts = text.split(",")
        if len(parts) != 4 or not all(part.strip().isdecimal() and int(part) <= 255 for part in parts):
            raise InvalidParameter("bgc: four numbers from 0 to 255, such as 255,255,255,255", field="bgc")
        red, green, blue, alpha = (int(part) for part in parts)
        return red, green, blue, alpha

    def recipe(self) -> str:
        """Return the name of the recipe (rules that finish a picture) in `extras`; an empty string if there is none.

        Raise InvalidParameter if `extras` is not a JSON object, or if the name is not a string.
        """
        name = _extras(self.validated_data.get("extras", "")).get("recipe", "")
        if not isinstance(name, str):
            raise InvalidParameter("extras: recipe must be a name", field="extras")
        return name

    def without_effect(self, options: CutoutOptions) -> list[str]:
        """Return the names of those request fields that have no effect.

        options: the options that `to_options` returned for this request.
        """
        values = self.validated_data
        unused = [name for name in WITHOUT_EFFECT if name in values]
        return [*unused, "vm"] if values.get("vm") and options.quality is not Quality.FINE else unused


class RembgUrlSerializer(RembgSerializer):
    """The request fields of `GET /api/remove`."""

    url = serializers.CharField(max_length=2048, required=False, help_text="URL of the picture.")

    def to_source(self) -> Source:
        if "url" not in self.validated_data:
            raise ParameterMissing("Field required", field="url")
        return source_of_url(self.validated_data["url"], field="url")


class RembgFileSerializer(RembgSerializer):
    """The request fields of `POST /api/remove`."""

    file = serializers.FileField(required=False, allow_empty_file=True)

    def to_source(self) -> Source:
        if "file" not in self.validated_data:
            raise ParameterMissing("Field required", field="file")
        return accept_upload(self.validated_data["file"])


class RembgErrorSerializer(serializers.Serializer):
    """An error. `detail` is a message, or a list of wrong fields in the format of FastAPI."""

    detail = serializers.JSONField()


def _extras(text: str) -> dict[str, Any]:
    """Parse the text of the field `extras` and return the JSON object. An empty text is an empty object.

    Raise InvalidParameter if the text is not a JSON object.
    """
    try:
        extras = json.loads(text or "{}")
    except (ValueError, RecursionError):
        extras = None
    if not isinstance(extras, dict):
        raise InvalidParameter("extras: a JSON object with a list of sam_prompt", field="extras")
    return extras


def _prompts(extras: str) -> tuple[tuple[Box, ...], tuple[Point, ...]]:
    """Return the boxes and the points in the list `sam_prompt` of the field `extras`.

    Other keys of the JSON object and other types of prompts are ignored.

    extras: the text of the field, which is a JSON object.

    Raise InvalidParameter if the text is not valid.
    """
    try:
        prompts = _extras(extras).get("sam_prompt", [])
        boxes = tuple(Box.parse(prompt["data"]) for prompt in prompts if prompt.get("type") == "rectangle")
        points = tuple(
            Point(prompt["data"][0], prompt["data"][1], prompt.get("label", 1) != 0)
            for prompt in prompts
            if prompt.get("type") == "point"
        )
    except (ValueError, AttributeError, LookupError, TypeError, RecursionError):
        raise InvalidParameter("extras: a JSON object with a list of sam_prompt", field="extras") from None
    return boxes, points


def merged(query: Any, form: Any) -> dict[str, Any]:
    """Return the fields of the query and of the form in one dict. If both contain a field, use the form's value."""
    return {**{name: query[name] for name in query}, **{name: form[name] for name in form}}
