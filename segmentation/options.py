"""Parameters of one cutout, validated when they are built and then frozen.

This module does not import torch, numpy or Django, so that the web process can import it quickly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Self

from .errors import BoxInvalid, InvalidParameter, PointInvalid

MAX_BOXES = 20
MAX_POINTS = 20
MIN_BOX_SIDE_PX = 2
MAX_COORDINATE_PX = 1_000_000


class Method(StrEnum):
    AUTO = "auto"  # the model finds the subject
    BOXES = "boxes"  # the caller draws boxes around it
    POINTS = "points"  # the caller clicks on it
    INSTANCES = "instances"  # every person separately


class Quality(StrEnum):
    FAST = "fast"  # the built-in model, or the one that an operator has activated instead
    FINE = "fine"  # the strongest model that is installed
    AUTO = "auto"  # fast, and fine where fast is uncertain


class Subject(StrEnum):
    AUTO = "auto"
    PERSON = "person"
    OBJECT = "object"
    STAMP = "stamp"


class AlphaMode(StrEnum):
    SOFT = "soft"
    BINARY = "binary"


class Output(StrEnum):
    CUTOUT = "cutout"
    MASK = "mask"
    ALPHA = "alpha"  # the model's own alpha, before any threshold
    VISUALIZATION = "visualization"


class Metadata(StrEnum):
    STRIP = "strip"
    KEEP = "keep"  # EXIF with author and copyright, without the location
    KEEP_GPS = "keep_gps"  # EXIF with the location


class Format(StrEnum):
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"


@dataclass(frozen=True, slots=True)
class Range:
    """The lowest and the highest value of a numeric option, both included."""

    low: float
    high: float


# Serializers, forms, pages and the OpenAPI document read the ranges from here.
RANGES = {"threshold": Range(0, 50), "erosion": Range(0, 5), "crop_margin": Range(0, 0.5)}


@dataclass(frozen=True, slots=True)
class Color:
    """An opaque sRGB colour; each channel is 0..255."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str, *, field_name: str = "background") -> Self:
        """Return the colour for `#rgb`, `#rrggbb`, `rgb` or `rrggbb`.

        field_name: the field that the error names.

        Raise InvalidParameter for any other text.
        """
        digits = str(text).strip().removeprefix("#")
        if len(digits) == 3:
            digits = "".join(digit * 2 for digit in digits)
        if not re.fullmatch(r"[0-9a-fA-F]{6}", digits):
            raise InvalidParameter(f"{field_name}: {text!r:.40} is not a colour like #ffffff", field=field_name)
        return cls(*bytes.fromhex(digits))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the picture, after the EXIF rotation.

    left, top: the first column and row inside the rectangle.
    right, bottom: the first column and row after the rectangle.
    """

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        for name in ("left", "top", "right", "bottom"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
                raise BoxInvalid(f"boxes: {name} must be a number, not {value!r:.40}", field="boxes")
            if abs(value) > MAX_COORDINATE_PX:
                raise BoxInvalid(f"boxes: {name}={value} is off any picture", field="boxes")
            object.__setattr__(self, name, round(value))
        if self.right - self.left < MIN_BOX_SIDE_PX or self.bottom - self.top < MIN_BOX_SIDE_PX:
            raise BoxInvalid(
                f"boxes: ({self.left}, {self.top}, {self.right}, {self.bottom}) must have "
                "right > left and bottom > top",
                field="boxes",
            )

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Return the box for `[left, top, right, bottom]`, for `left,top,right,bottom`, or for a mapping.

        A mapping has the keys `left`, `top`, `right` and `bottom`. Raise BoxInvalid for any other value.
        """
        if isinstance(value, str):
            try:
                value = [float(part) for part in value.split(",")]
            except ValueError:
                raise BoxInvalid(f"boxes: {value!r:.60} is not left,top,right,bottom", field="boxes") from None
        if isinstance(value, Mapping):
            value = [value.get(name) for name in ("left", "top", "right", "bottom")]
        if not isinstance(value, list | tuple) or len(value) != 4:
            raise BoxInvalid("boxes: each box is [left, top, right, bottom]", field="boxes")
        return cls(*value)

    def clipped(self, width: int, height: int, *, min_side_px: int = MIN_BOX_SIDE_PX) -> Box:
        """Return the box clipped to a picture of `width` x `height` pixels.

        Raise BoxInvalid if a side of the result is shorter than `min_side_px`.
        """
        left, right = max(0, self.left), min(width, self.right)
        top, bottom = max(0, self.top), min(height, self.bottom)
        if right - left < min_side_px or bottom - top < min_side_px:
            raise BoxInvalid(
                f"boxes: ({self.left}, {self.top}, {self.right}, {self.bottom}) leaves less than "
                f"{min_side_px}x{min_side_px} pixels on a picture of {width}x{height}",
                field="boxes",
            )
        return Box(left, top, right, bottom)


@dataclass(frozen=True, slots=True)
class Point:
    """A click in pixels of the picture after the EXIF rotation.

    keep: True if this place belongs to the subject, False if it belongs to the background.
    """

    x: int
    y: int
    keep: bool = True

    def __post_init__(self) -> None:
        for name in ("x", "y"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
                raise PointInvalid(f"points: {name} must be a number, not {value!r:.40}", field="points")
            if abs(value) > MAX_COORDINATE_PX:
                raise PointInvalid(f"points: {name}={value} is off any picture", field="points")
            object.__setattr__(self, name, int(value // 1))

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Return the point for `[x, y, 1]` (keep) or `[x, y, 0]` (remove). Raise PointInvalid for any other value."""
        if not isinstance(value, list | tuple) or len(value) != 3 or value[2] not in (0, 1):
            raise PointInvalid("points: each point is [x, y, 1] to keep or [x, y, 0] to remove", field="points")
        return cls(value[0], value[1], bool(value[2]))

    def on(self, width: int, height: int) -> Point:
        """Return this point. Raise PointInvalid if it is outside a picture of `width` x `height` pixels."""
        if not (0 <= self.x < width and 0 <= self.y < height):
            raise PointInvalid(f"points: ({self.x}, {self.y}) is not on a picture of {width}x{height}", field="points")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoutOptions:
    """Parameters of one cutout. The constructor raises InvalidParameter, which names the invalid field.

    boxes: for the method `boxes`: each box contains one subject. If points are given too, all boxes contain the same
    subject.
    points: for the method `points`, the clicks that select the subject. For `auto` and `boxes`, clicks that correct the
    result.
    quality: which model is used; None means the default of the team and the API.
    threshold: 0..50. In the alpha mode `binary`, pixels with alpha > threshold / 50 become opaque, and all others
    transparent. In the mode `soft`, the levels between t and 1 - t are stretched to 0..1, with t = threshold / 100.
    There, 0 changes nothing, and 50 makes alpha 0 or 1, with the step at one half.
    erosion: 0..5. The alpha becomes the minimum over a square of erosion + 1 pixels.
    feathering: whether alpha is blurred with a 5 x 5 Gaussian.
    decontaminate: remove the background's colour from half-transparent pixels.
    refine: move the edges of the model's enlarged alpha to the picture's edges.
    crop_margin: space added around the subject on each side, as a share (0..0.5) of its longer side.
    background: the colour behind the subject; None keeps the cutout transparent. For JPEG, which has no transparency,
    None means white.
    metadata: the part of the source's EXIF that the cutout keeps.
    """

    method: Method = Method.AUTO
    boxes: tuple[Box, ...] = ()
    points: tuple[Point, ...] = ()
    subject: Subject = Subject.AUTO
    quality: Quality | None = None
    alpha_mode: AlphaMode = AlphaMode.SOFT
    threshold: int = 10
    erosion: int = 0
    feathering: bool = False
    decontaminate: bool = True
    refine: bool = True
    outputs: tuple[Output, ...] = (Output.CUTOUT,)
    format: Format = Format.PNG
    background: Color | None = None
    crop: bool = False
    crop_margin: float = 0.0
    metadata: Metadata = Metadata.STRIP

    def __post_init__(self) -> None:
        self._coerce("method", Method)
        self._coerce("subject", Subject)
        if self.quality is not None:
            self._coerce("quality", Quality)
        self._coerce("alpha_mode", AlphaMode)
        self._coerce("format", Format)
        self._coerce("metadata", Metadata)
        self._check_whole("threshold")
        self._check_whole("erosion")
        for name in ("feathering", "decontaminate", "refine", "crop"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidParameter(f"{name}: must be true or false", field=name)
        self._check_margin()
        self._check_outputs()
        self._check_boxes()
        self._check_points()
        if self.background is not None and not isinstance(self.background, Color):
            object.__setattr__(self, "background", Color.parse(self.background))

    def _coerce(self, name: str, kind: type[StrEnum]) -> None:
        try:
            object.__setattr__(self, name, kind(getattr(self, name)))
        except ValueError:
            allowed = ", ".join(kind)
            raise InvalidParameter(f"{name}: {getattr(self, name)!r:.40} is none of {allowed}", field=name) from None

    def _check_whole(self, name: str) -> None:
        value, span = getattr(self, name), RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int) or not span.low <= value <= span.high:
            raise InvalidParameter(
                f"{name}: {value!r:.40} is not a whole number from {span.low} to {span.high}", field=name
            )

    def _check_margin(self) -> None:
        margin, span = self.crop_margin, RANGES["crop_margin"]
        if isinstance(margin, bool) or not isinstance(margin, int | float) or not span.low <= margin <= span.high:
            raise InvalidParameter(
                f"crop_margin: {margin!r:.40} is not a share from {span.low} to {span.high}", field="crop_margin"
            )

    def _check_outputs(self) -> None:
        if isinstance(self.outputs, str) or not self.outputs:
            raise InvalidParameter("outputs: name at least one of " + ", ".join(Output), field="outputs")
        try:
            chosen = {Output(value) for value in self.outputs}
        except ValueError:
            raise InvalidParameter("outputs: each is one of " + ", ".join(Output), field="outputs") from None
        object.__setattr__(self, "outputs", tuple(output for output in Output if output in chosen))

    def _check_boxes(self) -> None:
        if isinstance(self.boxes, str | Mapping) or not isinstance(self.boxes, list | tuple):
            raise BoxInvalid("boxes: a list of [left, top, right, bottom]", field="boxes")
        boxes = tuple(box if isinstance(box, Box) else Box.parse(box) for box in self.boxes)
        object.__setattr__(self, "boxes", boxes)
        if len(boxes) > MAX_BOXES:
            raise BoxInvalid(f"boxes: {len(boxes)} are more than {MAX_BOXES}", field="boxes")
        if self.method is Method.BOXES and not boxes:
            raise InvalidParameter("boxes: method boxes needs at least one", field="boxes")
        if self.method is not Method.BOXES and boxes:
            raise InvalidParameter("boxes: only method boxes takes them", field="boxes")

    def _check_points(self) -> None:
        if isinstance(self.points, str | Mapping) or not isinstance(self.points, list | tuple):
            raise PointInvalid("points: a list of [x, y, 1] or [x, y, 0]", field="points")
        points = tuple(point if isinstance(point, Point) else Point.parse(point) for point in self.points)
        object.__setattr__(self, "points", points)
        if len(points) > MAX_POINTS:
            raise PointInvalid(f"points: {len(points)} are more than {MAX_POINTS}", field="points")
        if self.method is Method.POINTS and not any(point.keep for point in points):
            raise InvalidParameter("points: method points needs at least one to keep", field="points")
        if points and self.method is Method.INSTANCES:
            raise InvalidParameter("points: method instances does not take them", field="points")
        if points and self.subject is Subject.STAMP:
            raise InvalidParameter("points: a stamp is not selected by points", field="points")

    def on_picture(self, width: int, height: int, *, min_box_side_px: int = MIN_BOX_SIDE_PX) -> tuple[Box, ...]:
        """Return the boxes clipped to a picture of `width` x `height` pixels.

        Raise BoxInvalid if a side of a clipped box is shorter than `min_box_side_px`, and PointInvalid for a point
        outside the picture.
        """
        for point in self.points:
            point.on(width, height)
        return tuple(box.clipped(width, height, min_side_px=min_box_side_px) for box in self.boxes)

    def to_json(self) -> dict[str, Any]:
        """Return the options as plain JSON types; `from_json` builds an equal object from them."""
        data = {name: getattr(self, name) for name in _NAMES}
        data["boxes"] = [list(asdict(box).values()) for box in self.boxes]
        data["points"] = [[point.x, point.y, int(point.keep)] for point in self.points]
        data["outputs"] = list(self.outputs)
        data["background"] = None if self.background is None else str(self.background)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Build options from the result of `to_json`.

        Raise InvalidParameter for an unknown name or an invalid value.
        """
        unknown = sorted(set(data) - set(_NAMES))
        if unknown:
            raise InvalidParameter(f"{unknown[0]}: not a parameter", field=unknown[0])
        values = dict(data)
        for name in ("boxes", "points", "outputs"):
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        return cls(**values)


_NAMES = tuple(entry.name for entry in fields(CutoutOptions))
