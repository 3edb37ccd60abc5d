"""remove.bg-compatible API: draw the result from a cutout, with crop, scale, shadow, background and file format.

Lengths have the formats of the remove.bg-compatible API: `12px`, `10%`, or a number of pixels. The function `draw` runs
in the separate process for renderings.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass

from PIL import Image, ImageColor, ImageOps

from jobs.errors import ParameterMissing
from segmentation.errors import InvalidParameter
from segmentation.finish.recipe import Shadow

MEGAPIXEL = 1_000_000
PREVIEW_SIZES = ("preview", "small", "regular")
# Megapixels of the result by `size`; PNG has less than the others at full size.
SIZES = {**dict.fromkeys(PREVIEW_SIZES, 0.25), "medium": 1.5, "hd": 4.0, "full": 25.0, "4k": 25.0, "50MP": 50.0}
FULL_PNG_MEGAPIXELS = 10.0
MAX_MARGIN_SHARE, MAX_MARGIN_PX = 0.5, 500
BINARY_FROM = 128  # without semitransparency: alpha from this value on becomes opaque
JPEG_QUALITY = 92
_LENGTH = re.compile(r"(-?\d+(?:\.\d+)?)(px|%)?")


class ForegroundUnknown(InvalidParameter):
    public_message = "Could not identify foreground in image."


Rectangle = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Length:
    """A length, in pixels or in percent of a side of the picture.

    is_share: whether `value` is in percent (True) or in pixels (False).
    """

    value: float
    is_share: bool

    def of(self, side_px: int) -> float:
        return self.value * side_px / 100 if self.is_share else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The layout of the result as the request describes it. docs/api-removebg.md explains each field."""

    size: str = "preview"
    format: str = "auto"
    channels: str = "rgba"
    roi: tuple[Length, ...] = ()
    crops: bool = False
    crop_margin: tuple[Length, ...] = ()
    scale: float | None = None  # share of the canvas that the subject may fill
    position: tuple[float, float] | None = None  # the shares of the free space that are left of and above the subject
    semitransparency: bool = True
    shadow: Shadow | None = None
    color: tuple[int, int, int, int] | None = None
    picture: bytes = b""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A result picture as a file.

    data: the content of the file.
    width, height: the size in pixels.
    foreground: the rectangle of the subject as (left, top, right, bottom), in pixels of the result.
    """

    data: bytes
    content_type: str
    width: int
    height: int
    foreground: Rectangle


def lengths(text: str, *, field: str, counts: tuple[int, ...]) -> tuple[Length, ...]:
    """Parse lengths that are separated by spaces or commas, and return them.

    counts: the allowed numbers of lengths, such as (1, 2, 4).

    Raise InvalidParameter with the name `field` if the text or the number of lengths is not valid.
    """
    parts = text.replace(",", " ").split()
    matches = [_LENGTH.fullmatch(part) for part in parts]
    if len(parts) not in counts or None in matches:
        wanted = " or ".join(str(count) for count in counts)
        raise InvalidParameter(f"{field}: {wanted} lengths such as 10% or 30px", field=field)
    return tuple(Length(float(match[1]), match[2] == "%") for match in matches if match)


def color_of(text: str, *, field: str = "bg_color") -> tuple[int, int, int, int]:
    """Parse a colour and return its red, green, blue and alpha, each from 0 to 255.

    text: a colour name, or hexadecimal digits with or without # and alpha.

    Raise InvalidParameter with the name `field` if the text is not a colour.
    """
    for spelled in (text.strip(), f"#{text.strip()}"):
        try:
            red, green, blue, *alpha = ImageColor.getcolor(spelled, "RGBA")  # type: ignore[misc]
        except ValueError:
            continue
        return red, green, blue, alpha[0]
    raise InvalidParameter(f"{field}: {text!r:.40} is not a colour such as 81d4fa, 81d4fa77 or green", field=field)


def max_pixels(size: str, picture_format: str) -> float:
    """Return the maximum number of pixels of a result.

    The size `auto` means the largest size. At full size, the maximum for a PNG is lower than for other formats.

    size, picture_format: values of the request, such as `hd` and `png`.
    """
    if size in ("full", "4k", "auto") and picture_format in ("png", "auto"):
        return FULL_PNG_MEGAPIXELS * MEGAPIXEL
    return SIZES.get(size, SIZES["full"]) * MEGAPIXEL


def fitted(width: int, height: int, pixels: float) -> tuple[int, int]:
    """Return the largest width and height with the same proportions and at most `pixels` pixels.

    If the picture is small enough, return its own size.
    """
    factor = min(1.0, (pixels / (width * height)) ** 0.5)
    return max(1, int(width * factor)), max(1, int(height * factor))


def draw(cutout_png: bytes, layout: Layout) -> Drawn:
    """Draw the result from a cutout, as `layout` describes it, and return the result.

    cutout_png: the content of a PNG with alpha.

    Raise ForegroundUnknown if the cutout has no visible pixel.
    """
    picture = Image.open(io.BytesIO(cutout_png)).convert("RGBA")
    alpha = _alpha(picture, layout)
    picture.putalpha(alpha)
    box = alpha.getbbox()
    if box is None:
        raise ForegroundUnknown
    if layout.crops:
        picture = picture.crop(_with_margin(box, layout.crop_margin))
    if layout.scale is not None or layout.position is not None:
        picture = _placed(picture, layout)
    kind = _kind(picture, layout)
    size = fitted(*picture.size, max_pixels(layout.size, kind))
    if size != picture.size:
        picture = picture.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    foreground = picture.getchannel("A").getbbox() or (0, 0, *picture.size)
    if layout.shadow is not None and layout.channels != "alpha":
        picture = _with_shadow(picture, layout.shadow)
    data, content_type = _encoded(picture, kind, layout)
    return Drawn(data, content_type, *picture.size, foreground)


def _alpha(picture: Image.Image, layout: Layout) -> Image.Image:
    alpha = picture.getchannel("A")
    if not layout.semitransparency:
        alpha = alpha.point(lambda level: 255 if level >= BINARY_FROM else 0)
    if not layout.roi:
        return alpha
    inside = Image.new("L", alpha.size, 0)
    left, top, right, bottom = region(layout.roi, *alpha.size)
    inside.paste(alpha.crop((left, top, right, bottom)), (left, top))
    return inside


def region(roi: tuple[Length, ...], width: int, height: int) -> Rectangle:
    """Return the region of interest as (left, top, right, bottom) in pixels, clipped to the picture.

    roi: x1, y1, x2, y2 of two opposite corners.
    width, height: the size of the picture in pixels.
    """
    left, right = sorted((round(roi[0].of(width)), round(roi[2].of(width))))
    top, bottom = sorted((round(roi[1].of(height)), round(roi[3].of(height))))
    return max(0, left), max(0, top), min(width, right), min(height, bottom)


def _with_margin(box: Rectangle, margin: tuple[Length, ...]) -> Rectangle:
    """Return the box of the subject, enlarged by its margins.

    margin: no length; one length for all sides; two lengths (top and bottom, left and right); or four lengths (top,
    right, bottom, left).
    """
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    sides = {0: (0, 0, 0, 0), 1: (0, 0, 0, 0), 2: (0, 1, 0, 1), 4: (0, 1, 2, 3)}[len(margin)]
    if not margin:
        return box
    above, beside_right, below, beside_left = (
        min(margin[index].of(side), MAX_MARGIN_PX, side * MAX_MARGIN_SHARE if margin[index].is_share else MAX_MARGIN_PX)
        for index, side in zip(sides, (height, width, height, width), strict=True)
    )
    return round(left - beside_left), round(top - above), round(right + beside_right), round(bottom + below)


def _placed(picture: Image.Image, layout: Layout) -> Image.Image:
    """Scale the subject and place it on a canvas of the picture's size. Without a position, centre the subject."""
    subject = picture.crop(picture.getchannel("A").getbbox())
    if layout.scale is not None:
        factor = layout.scale * min(picture.width / subject.width, picture.height / subject.height)
        size = max(1, round(subject.width * factor)), max(1, round(subject.height * factor))
        subject = subject.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    beside, above = layout.position or (0.5, 0.5)
    canvas = Image.new("RGBA", picture.size)
    corner = round((picture.width - subject.width) * beside), round((picture.height - subject.height) * above)
    canvas.paste(subject, corner)
    return canvas


def _with_shadow(picture: Image.Image, shadow: Shadow) -> Image.Image:
    """Draw the shadow of the subject and the subject above it, and return the picture. The size does not change."""
    import numpy as np

    from segmentation.finish.shadows import shadow_opacity

    below = Image.new("RGBA", picture.size, shadow.color)
    below.putalpha(Image.fromarray(shadow_opacity(np.asarray(picture.getchannel("A")), shadow)))
    return Image.alpha_composite(below, picture)


def _kind(picture: Image.Image, layout: Layout) -> str:
    if layout.channels == "alpha":
        return "png"
    if layout.format != "auto":
        return layout.format
    is_opaque = bool(layout.picture) or (layout.color is not None and layout.color[3] == 255)
    return "jpg" if is_opaque or picture.getchannel("A").getextrema()[0] == 255 else "png"


def _encoded(picture: Image.Image, kind: str, layout: Layout) -> tuple[bytes, str]:
    if layout.channels == "alpha":
        return _saved(picture.getchannel("A"), "PNG"), "image/png"
    if kind == "zip":
        return _zipped(picture), "application/zip"
    drawn = _on_background(picture, layout)
    if kind == "jpg":
        return _saved(_flat(drawn), "JPEG"), "image/jpeg"
    return (_saved(drawn, "WEBP"), "image/webp") if kind == "webp" else (_saved(drawn, "PNG"), "image/png")


def _on_background(picture: Image.Image, layout: Layout) -> Image.Image:
    if layout.picture:
        behind = Image.open(io.BytesIO(layout.picture)).convert("RGBA")
        return Image.alpha_composite(ImageOps.fit(behind, picture.size, Image.Resampling.LANCZOS), picture)
    if layout.color is not None:
        return Image.alpha_composite(Image.new("RGBA", picture.size, layout.color), picture)
    return picture


def _flat(picture: Image.Image) -> Image.Image:
    """Draw the picture on white, because JPEG has no transparency, and return the new picture."""
    return Image.alpha_composite(Image.new("RGBA", picture.size, (255, 255, 255, 255)), picture).convert("RGB")


def _zipped(picture: Image.Image) -> bytes:
    """Return a zip with the colours as JPEG and the alpha as PNG. The zip is smaller than one PNG with both."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("color.jpg", _saved(picture.convert("RGB"), "JPEG"))
        archive.writestr("alpha.png", _saved(picture.getchannel("A"), "PNG"))
    return buffer.getvalue()


def _saved(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=JPEG_QUALITY)
    return buffer.getvalue()


class SourceMissing(ParameterMissing):
    public_message = "No image given"


class SourcesSeveral(InvalidParameter):
    public_message = "Multiple image sources given"
