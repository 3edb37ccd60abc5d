"""remove.bg-compatible API: convert request fields to options, a source and a layout, and describe the responses."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from jobs.api.fields import BlankAsDefault, Choice, SwitchField
from jobs.api.links import source_of_url
from jobs.intake.fetch import fetch_bytes, policy_from_settings
from jobs.intake.sources import CheckedSource, Source, accept_base64, accept_bytes, accept_upload, default_limits
from segmentation.errors import InvalidParameter
from segmentation.finish.recipe import Shadow, ShadowType
from segmentation.image import Limits
from segmentation.options import Box, CutoutOptions, Method, Output, Subject

from .canvas import SIZES, Layout, SourceMissing, SourcesSeveral, color_of, lengths, region

SOURCES = ("image_file", "image_file_b64", "image_url")
BACKGROUNDS = ("bg_color", "bg_image_url", "bg_image_file")
SUBJECTS = {"auto": Subject.AUTO, "person": Subject.PERSON, "graphic": Subject.AUTO}  # others: an object
SHADOWS = {"drop": ShadowType.DROP, "3D": ShadowType.CAST, "car": ShadowType.CONTACT}
# Subjects that stand on the ground get the shadow of a car; other subjects may be cut off by the picture's edge.
AUTO_SHADOWS = {"car": "car", "product": "car", "transportation": "car"}
MAX_BYTES = 22 * 2**20


def limits() -> Limits:
    """Return the remove.bg-compatible API's limits for a picture: the maximum file size."""
    return default_limits(max_bytes=MAX_BYTES)


class RemoveBgSerializer(BlankAsDefault, serializers.Serializer):
    """The request fields to cut out a picture. Exactly one of the three fields with a source image is required."""

    image_file = serializers.FileField(required=False, allow_empty_file=True)
    image_file_b64 = serializers.CharField(required=False, trim_whitespace=False)
    image_url = serializers.CharField(required=False)
    size = Choice(choices=[*SIZES, "auto"], default="preview", help_text="Largest number of pixels of the result.")
    type = Choice(
        choices=["auto", "person", "product", "car", "animal", "graphic", "transportation"],
        default="auto",
        help_text="What to keep.",
    )
    type_level = Choice(choices=["none", "1", "2", "latest"], default="1", help_text="How X-Type names the subject.")
    format = Choice(choices=["auto", "png", "jpg", "webp", "zip"], default="auto")
    roi = serializers.CharField(required=False, help_text="x1 y1 x2 y2 in px or %: where alone a subject may lie.")
    crop = SwitchField(default=False)
    crop_margin = serializers.CharField(required=False, help_text="1, 2 or 4 lengths in px or % of the subject.")
    scale = serializers.CharField(default="original", help_text="original, or 10% to 100% of the canvas.")
    position = serializers.CharField(default="original", help_text="original, center, or one or two % values.")
    channels = Choice(choices=["rgba", "alpha"], default="rgba")
    semitransparency = SwitchField(default=True)
    add_shadow = SwitchField(default=False, help_text="The same as the shadow_type auto.")
    shadow_type = Choice(choices=["none", "auto", *SHADOWS], default="none", help_text="The shadow to draw.")
    shadow_opacity = serializers.IntegerField(
        min_value=0, max_value=100, default=100, help_text="In percent of the shadow's usual strength."
    )
    bg_color = serializers.CharField(required=False, help_text="Hex with or without # and alpha, or a name.")
    bg_image_url = serializers.CharField(required=False)
    bg_image_file = serializers.FileField(required=False, allow_empty_file=True)

    def to_source(self) -> Source:
        """Return the source of the picture.

        Raise SourceMissing if the request contains no picture, and SourcesSeveral if it contains several pictures.
        """
        values = self.validated_data
        sent = [name for name in SOURCES if name in values]
        if not sent:
            raise SourceMissing(
                "Please provide the source image in image_file, image_file_b64 or image_url", field=SOURCES[0]
            )
        if len(sent) > 1:
            raise SourcesSeveral(f"Send one of {', '.join(sent)}", field=sent[1])
        picture = values[sent[0]]
        if sent[0] == "image_file":
            return accept_upload(picture, limits=limits())
        if sent[0] == "image_file_b64":
            return accept_base64(picture, limits=limits())
        return source_of_url(picture, limits=limits())

    def beside_sources(self) -> dict[str, Any]:
        """Return the validated fields without the fields that contain the picture."""
        return {name: value for name, value in self.validated_data.items() if name not in SOURCES}

    def to_options(self, source: Source) -> CutoutOptions:
        """Return the options for a complete transparent cutout. The result is later drawn from this cutout.

        If the size of the picture is known, the region of interest becomes a box for the model. If the size is not
        known yet, the region of interest affects only the drawing of the result.

        source: the source of the picture.
        """
        subject = SUBJECTS.get(self.validated_data["type"], Subject.OBJECT)
        roi = self.to_layout().roi
        if not roi or not isinstance(source, CheckedSource):
            return CutoutOptions(subject=subject, outputs=(Output.CUTOUT,))
        box = region(roi, source.probe.width, source.probe.height)
        if box == (0, 0, source.probe.width, source.probe.height):
            return CutoutOptions(subject=subject, outputs=(Output.CUTOUT,))
        return CutoutOptions(subject=subject, outputs=(Output.CUTOUT,), method=Method.BOXES, boxes=(Box(*box),))

    def to_layout(self, *, background: bytes = b"") -> Layout:
        """Return the layout of the result. Raise InvalidParameter if a field of the layout is not valid.

        background: the content of the background picture's file; empty if there is no background picture.
        """
        values = self.validated_data
        sent = [name for name in BACKGROUNDS if name in values]
        if len(sent) > 1:
            raise InvalidParameter(f"{sent[1]}: send it or {sent[0]}, not both", field=sent[1])
        return Layout(
            size=values["size"],
            format=values["format"],
            channels=values["channels"],
            roi=lengths(values["roi"], field="roi", counts=(4,)) if "roi" in values else (),
            crops=values["crop"],
            crop_margin=self._margin(values.get("crop_margin", "")),
            scale=_scale(values["scale"]),
            position=_position(values["position"], is_scaled=values["scale"] != "original"),
            semitransparency=values["semitransparency"],
            shadow=self._shadow(),
            color=color_of(values["bg_color"]) if "bg_color" in values else None,
            picture=background,
        )

    def background(self) -> bytes:
        """Return the content of the background picture's file; empty if the request has no background picture.

        The background picture is checked in the same way as the picture to cut out. Raise a MattingError if the
        download fails or the background picture is invalid.
        """
        values = self.validated_data
        if "bg_image_file" in values:
            return accept_upload(values["bg_image_file"], limits=limits()).read()
        if "bg_image_url" not in values:
            return b""
        source = source_of_url(values["bg_image_url"], limits=limits(), field="bg_image_url")
        if isinstance(source, CheckedSource):
            return source.read()
        data = fetch_bytes(values["bg_image_url"], policy_from_settings("picture")).data
        return accept_bytes(data, limits=limits()).read()

    def _shadow(self) -> Shadow | None:
        values = self.validated_data
        name = values["shadow_type"]
        if name == "none" and values["add_shadow"]:
            name = "auto"
        if name == "none" or not values["shadow_opacity"]:
            return None
        if name == "auto":
            name = AUTO_SHADOWS.get(values["type"], "drop")
        strength = Shadow.model_fields["strength"].default * values["shadow_opacity"] / 100
        return Shadow(type=SHADOWS[name], strength=strength)

    def _margin(self, text: str) -> Any:
        return lengths(text, field="crop_margin", counts=(1, 2, 4)) if text else ()


def _scale(text: str) -> float | None:
    if text == "original":
        return None
    (length,) = lengths(text, field="scale", counts=(1,))
    if not length.is_share or not 10 <= length.value <= 100:
        raise InvalidParameter("scale: original, or from 10% to 100%", field="scale")
    return length.value / 100


def _position(text: str, *, is_scaled: bool) -> tuple[float, float] | None:
    if text == "original":
        return (0.5, 0.5) if is_scaled else None
    if text == "center":
        return 0.5, 0.5
    found = lengths(text, field="position", counts=(1, 2))
    if any(not length.is_share or not 0 <= length.value <= 100 for length in found):
        raise InvalidParameter("position: original, center, or one or two values from 0% to 100%", field="position")
    return found[0].value / 100, found[-1].value / 100


# Responses ------------------------------------------------------------------------------------------------------------


class RemoveBgResultSerializer(serializers.Serializer):
    result_b64 = serializers.CharField()
    foreground_top = serializers.IntegerField()
    foreground_left = serializers.IntegerField()
    foreground_width = serializers.IntegerField()
    foreground_height = serializers.IntegerField()


class RemoveBgAnswerSerializer(serializers.Serializer):
    data = RemoveBgResultSerializer()  # type: ignore[assignment]  # the name in the API's JSON


class RemoveBgAccountSerializer(serializers.Serializer):
    """The JSON of the account: `{"data": {"attributes": {"credits": …, "api": …}}}`."""

    data = serializers.DictField()  # type: ignore[assignment]  # the name in the API's JSON


class RemoveBgErrorSerializer(serializers.Serializer):
    title = serializers.CharField()
    detail = serializers.CharField(required=False)
    code = serializers.CharField()


class RemoveBgErrorsSerializer(serializers.Serializer):
    errors = RemoveBgErrorSerializer(many=True)  # type: ignore[assignment]  # the name in the API's JSON
