"""PicWish-compatible API: convert request fields to CutoutOptions and a source, and describe the responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from jobs.api.fields import BlankAsDefault, Choice
from jobs.api.links import source_of_url
from jobs.errors import DownloadFailed, UrlForbidden
from jobs.intake.sources import Source, accept_base64, accept_or_refuse, accept_upload, default_limits
from segmentation.errors import ImageDimensions, ImageMissing, ImageUnreadable, InvalidParameter
from segmentation.image import Limits
from segmentation.options import Color, CutoutOptions, Format, Output, Subject

MAX_BYTES = 20 * 2**20
MAX_SIDE_PX = 4096
SOURCES = ("image_file", "image_url", "image_base64")
DETECT = "auto"
URL, BASE64, BINARY = 1, 2, 3
_OUTPUTS = {1: (Output.CUTOUT, Output.MASK), 2: (Output.CUTOUT,), 3: (Output.MASK,)}
# Errors that this dialect reports as a task's state, not as an HTTP status.
_TASK_ERRORS = (ImageUnreadable, ImageDimensions, UrlForbidden, DownloadFailed)


def limits() -> Limits:
    """Return the PicWish-compatible API's limits for a picture: the maximum file size and side length."""
    return default_limits(max_bytes=MAX_BYTES, max_side_px=MAX_SIDE_PX)


class SegmentationSerializer(BlankAsDefault, serializers.Serializer):
    """The request fields to submit a task. Numbers may be strings. An empty string counts as a missing field."""

    image_file = serializers.FileField(required=False, allow_empty_file=True, help_text="One of the three is needed.")
    image_url = serializers.CharField(required=False, help_text="URL of the picture.")
    image_base64 = serializers.CharField(required=False, trim_whitespace=False)
    sync = Choice(choices=[0, 1], default=0, help_text="1 waits, at most 30 s.")
    type = Choice(
        choices=["person", "object", "stamp", DETECT], default=DETECT, help_text="What to keep; empty: detect."
    )
    output_type = Choice(choices=[1, 2, 3], default=2, help_text="1 picture and mask, 2, 3 mask.")
    crop = Choice(choices=[0, 1], default=0, help_text="1 crops to the subject.")
    format = Choice(choices=["png", "jpg"], default="png", help_text="jpg is drawn on bg_color.")
    bg_color = serializers.CharField(default="ffffff", max_length=20, help_text="For jpg, with or without #.")
    return_type = Choice(
        choices=[URL, BASE64, BINARY], default=URL, help_text="1 URL, 2 base64, 3 binary (with sync only)."
    )
    callback_url = serializers.CharField(required=False, help_text="Called when the task ends.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["return_type"] == BINARY and not attrs["sync"]:
            raise InvalidParameter("return_type: 3 needs sync=1", field="return_type")
        return attrs

    def to_options(self) -> CutoutOptions:
        """Return the options of the cutout. The edge is soft. A JPEG has the background colour `bg_color`."""
        values = self.validated_data
        color = Color.parse(values["bg_color"], field_name="bg_color")
        is_jpeg = values["format"] == "jpg"
        return CutoutOptions(
            subject=Subject.AUTO if values["type"] == DETECT else Subject(values["type"]),
            outputs=_OUTPUTS[values["output_type"]],
            crop=bool(values["crop"]),
            format=Format.JPEG if is_jpeg else Format.PNG,
            background=color if is_jpeg else None,
        )

    def to_source(self, held_to: Limits) -> Source:
        """Return the source of the picture.

        The PicWish-compatible API reports some errors as the state of a task. For these errors, return a RefusedSource,
        which becomes a failed picture of the job.

        held_to: the limits that the picture must keep.

        Raise ImageMissing if the request contains no picture, and InvalidParameter if it contains several pictures.
        """
        values = self.validated_data
        sent = [name for name in SOURCES if name in values]
        if not sent:
            raise ImageMissing("image_file: send this, image_url or image_base64", field="image_file")
        if len(sent) > 1:
            raise InvalidParameter(f"{sent[1]}: send one picture, not {sent[0]} as well", field=sent[1])
        picture = values[sent[0]]
        accept: dict[str, Callable[[], Source]] = {
            "image_file": lambda: accept_upload(picture, limits=held_to),
            "image_url": lambda: source_of_url(picture, limits=held_to),
            "image_base64": lambda: accept_base64(picture, limits=held_to),
        }
        name = getattr(picture, "name", "") or sent[0]
        return accept_or_refuse(accept[sent[0]], name=name, refusing=_TASK_ERRORS)

    def to_wire(self, *, base_url: str) -> dict[str, Any]:
        """Return the request fields that later responses repeat, and the site's URL for the links in a callback."""
        values = self.validated_data
        kept = {name: values[name] for name in ("type", "output_type", "return_type")}
        return kept | {"base_url": base_url}


# Responses ------------------------------------------------------------------------------------------------------------


class RectangleSerializer(serializers.Serializer):
    x = serializers.IntegerField()
    y = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class TaskDataSerializer(serializers.Serializer):
    """The JSON of a task. `image` and `mask` are present only if `state` is 1 and `progress` is 100."""

    task_id = serializers.CharField()
    state = serializers.IntegerField(min_value=-13, max_value=4)
    state_detail = serializers.CharField()
    progress = serializers.IntegerField(min_value=0, max_value=100)
    image = serializers.CharField(required=False, help_text="Link or base64.")
    mask = serializers.CharField(required=False, help_text="Link or base64.")
    created_at = serializers.IntegerField(help_text="Unix seconds.")
    processed_at = serializers.IntegerField(help_text="Unix seconds, 0 before.")
    completed_at = serializers.IntegerField(help_text="Unix seconds, 0 before.")
    download_time = serializers.IntegerField(help_text="Milliseconds.")
    time_elapsed = serializers.FloatField(help_text="Milliseconds of processing.")
    err_info = serializers.CharField(allow_blank=True)
    foreground_rect = RectangleSerializer(required=False, help_text="In pixels of the input.")
    image_width = serializers.IntegerField()
    image_height = serializers.IntegerField()
    output_type = serializers.IntegerField()
    return_type = serializers.IntegerField()
    result_type = serializers.CharField(allow_blank=True, help_text="What was found.")
    type = serializers.CharField()


class TaskSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=[200])
    data = TaskDataSerializer()  # type: ignore[assignment]  # the name in the API's JSON


class SubmittedDataSerializer(TaskDataSerializer):
    """The response to a submission: only the `task_id`, or with `sync` the complete task."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        for name, field in fields.items():
            field.required = name == "task_id"
        return fields


class SubmittedSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=[200])
    data = SubmittedDataSerializer()  # type: ignore[assignment]  # the name in the API's JSON


class PicWishErrorSerializer(serializers.Serializer):
    status = serializers.IntegerField()
    message = serializers.CharField()
