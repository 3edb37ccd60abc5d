"""Baidu-compatible API: convert request fields to CutoutOptions and a source, and describe the responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from jobs.api.fields import SWITCH_MESSAGE, Choice
from jobs.api.links import source_of_url
from jobs.errors import ParameterMissing, UrlTooLong
from jobs.intake.sources import Source, accept_base64, default_limits
from segmentation.errors import BoxInvalid, ImageMissing, InvalidParameter, MattingError
from segmentation.image import Limits
from segmentation.options import MAX_BOXES, AlphaMode, Box, CutoutOptions, Method, Output

from .errors import ParameterTooLong

MAX_BASE64_BYTES = 10 * 2**20
MAX_URL_BYTES = 1024
# A picture of a disc, 128 x 128 pixels, for "try it out" in the documentation.
EXAMPLE_IMAGE = (
    "iVBORw0KGgoAAAANSUhEUgAAAIAAAACAAQMAAAD58POIAAAABlBMVEUeWqDreCjUl3AOAAABAklEQVR42u1UQRKCMAzcFsbhJj+QJ/gD8ac+ha"
    "fwBI4ckHhY0kSlIwdm9GAONFm6222nDfCPX47T9FwHke4JOIqMzCKHM3BgVnDogRAcqRAR6R2lBIDaAVX6LMAZUFUCLQAEtwr1Q6cz+I/zonPX"
    "pLwkULufFtEccIjmkcx1SuPymAwsdt4ohTmn91XRoEWbXfYVSGCzmVJqUW+mfAYqLaodRX8FGLUYdxRNz23YTJm16DdTRIsuey315l6zosvFlQ"
    "TwTdPPOmVgPiVgtBPMUCY7DgKzbZaA2Fa05bTqfBHt4DfNrqV9K5oDD0zml8AdAG7e30VkzvTCXLd866f/+G48AE4OPyC9bCjlAAAAAElFTkSu"
    "QmCC"
)
_SOFT_THRESHOLD, _HALF = 10, 25  # values of `threshold` in CutoutOptions; 25 of 50 means alpha 0.5


def limits() -> Limits:
    """Return the Baidu-compatible API's limits for a picture: file size, side lengths, formats and smallest box.

    Baidu allows 10 MiB of base64, which is 7.5 MiB of decoded data.
    """
    return default_limits(
        max_bytes=MAX_BASE64_BYTES * 3 // 4,
        min_side_px=128,
        max_side_px=3000,
        formats=frozenset({"jpeg", "png", "webp", "bmp"}),
        min_box_side_px=10,
    )


class PositionField(serializers.ListField):
    """Field for boxes in pixels. It accepts a list `[[[x1, y1], [x2, y2]], …]`, or the same list as JSON text.

    It also accepts repeated form fields, each with one corner `[x, y]`, because Baidu's official SDK sends this form.
    """

    child = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        min_length=2,
        max_length=2,
    )

    def to_internal_value(self, data: Any) -> list[Box]:
        if isinstance(data, str):
            data = _json(data)
        elif isinstance(data, list) and all(isinstance(corner, str) for corner in data):
            corners = [_json(corner) for corner in data]
            data = [corners[index : index + 2] for index in range(0, len(corners), 2)]
        if not isinstance(data, list):
            raise BoxInvalid("position: a list of boxes [[x1, y1], [x2, y2]]", field="position")
        if len(data) > MAX_BOXES:
            raise ParameterTooLong(f"position: {len(data)} boxes are more than {MAX_BOXES}", field="position")
        return [_box(index, corners) for index, corners in enumerate(data)]


class BaiduSegmentSerializer(serializers.Serializer):
    """The request fields to cut out a picture.

    An empty value counts as a missing field, because forms send empty values.
    """

    image = serializers.CharField(
        required=False, trim_whitespace=False, help_text="Base64, at most 10 MB of it. Wins over url."
    )
    url = serializers.CharField(required=False, help_text="URL of the picture, at most 1024 bytes.")
    method = Choice(choices=["auto", "control"], default="auto")
    position = PositionField(required=False, help_text="With control: boxes [[x1, y1], [x2, y2]] in pixels.")
    return_form = Choice(choices=["rgba", "mask"], default="rgba")
    refine_mask = serializers.BooleanField(
        default=True,
        error_messages={"invalid": SWITCH_MESSAGE},
        help_text="Smooth the edge; true and false as strings too.",
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        sent = {name: value for name, value in data.items() if not _is_empty(value)}
        if "image" in sent:
            sent.pop("url", None)  # the picture has precedence, even if the URL is invalid
        values = super().to_internal_value(sent)
        if "image" not in values and "url" not in values:
            raise _reason_without_picture(data)
        if values["method"] == "control" and not values.get("position"):
            raise ParameterMissing("missing parameters: position", field="position")
        return values

    def to_options(self) -> CutoutOptions:
        """Return the options of the cutout.

        With `refine_mask`, a cutout has a soft edge; without it, a cutout has a hard edge. A mask always has a hard
        edge.
        """
        values = self.validated_data
        is_boxed = values["method"] == "control"
        is_mask = values["return_form"] == "mask"
        is_refined = values["refine_mask"]
        is_soft = is_refined and not is_mask
        return CutoutOptions(
            method=Method.BOXES if is_boxed else Method.AUTO,
            boxes=tuple(values["position"]) if is_boxed else (),
            alpha_mode=AlphaMode.SOFT if is_soft else AlphaMode.BINARY,
            threshold=_SOFT_THRESHOLD if is_soft else _HALF,
            refine=is_refined,
            decontaminate=is_refined,
            outputs=(Output.MASK if is_mask else Output.CUTOUT,),
        )

    def to_source(self) -> Source:
        """Return the source of the picture. Use the base64 in `image` if the request has it, otherwise `url`.

        The picture at a URL is not downloaded here. Raise UrlTooLong for a URL of more than MAX_URL_BYTES bytes.
        """
        values = self.validated_data
        if "image" in values:
            return accept_base64(values["image"], limits=limits())
        if len(values["url"].encode("utf-8", "surrogatepass")) > MAX_URL_BYTES:
            raise UrlTooLong(f"url: longer than {MAX_URL_BYTES} bytes", field="url")
        return source_of_url(values["url"], limits=limits(), field="url")


class BaiduSegmentResultSerializer(serializers.Serializer):
    log_id = serializers.CharField()
    image = serializers.CharField(help_text="The PNG as base64.")
    notes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Where nothing was found: says so."
    )


class BaiduSegmentErrorSerializer(serializers.Serializer):
    error_code = serializers.IntegerField()
    error_msg = serializers.CharField()
    log_id = serializers.CharField()


class BaiduTokenRequestSerializer(serializers.Serializer):
    """The parameters to get an access token. They are in the query or in the body."""

    grant_type = serializers.CharField(default="", allow_blank=True, help_text="client_credentials")
    client_id = serializers.CharField(default="", allow_blank=True, help_text="The key's public id.")
    client_secret = serializers.CharField(default="", allow_blank=True, help_text="The key's secret.")

    def validate_grant_type(self, value: str) -> str:
        if value != "client_credentials":
            raise InvalidParameter("The grant type must be client_credentials", field="grant_type")
        return value


class BaiduTokenSerializer(serializers.Serializer):
    access_token = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
    refresh_token = serializers.CharField()
    scope = serializers.CharField()
    session_key = serializers.CharField()
    session_secret = serializers.CharField()


class BaiduTokenErrorSerializer(serializers.Serializer):
    error = serializers.CharField()
    error_description = serializers.CharField()


def _is_empty(value: Any) -> bool:
    return value in (None, "", []) or (isinstance(value, str) and value.isspace())


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BoxInvalid("position: not valid JSON", field="position") from None


def _box(index: int, corners: Any) -> Box:
    """Return the box with the corners `[[x1, y1], [x2, y2]]`.

    Raise BoxInvalid if `corners` is not a valid box. The message contains `index`.
    """
    name = f"position[{index}]"
    try:
        (left, top), (right, bottom) = corners
    except (TypeError, ValueError):
        raise BoxInvalid(f"{name}: not [[x1, y1], [x2, y2]]", field="position") from None
    try:
        return Box(left, top, right, bottom)
    except BoxInvalid as error:
        raise BoxInvalid(f"{name}: {error.message.removeprefix('boxes: ')}", field="position") from None


def _reason_without_picture(data: Mapping[str, Any]) -> MattingError:
    """Return the error for a request without a picture. Empty fields and missing fields cause different errors."""
    if "image" in data:
        return ImageMissing("image: empty", field="image")
    if "url" in data:
        return UrlTooLong("url: empty", field="url")
    return ParameterMissing("image or url", field="image")
