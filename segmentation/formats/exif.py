"""Reader of EXIF data (CIPA DC-008): the orientation, the resolution, and the tags that result files may keep.

Broken EXIF data is treated as missing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image

_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_CM_PER_INCH = 2.54
# Of the first directory only descriptive tags; the others describe the file's pixels, or contain thumbnails.
_DESCRIBING = (
    ExifTags.Base.ImageDescription, ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.Software,
    ExifTags.Base.DateTime, ExifTags.Base.Artist, ExifTags.Base.Copyright, ExifTags.Base.Rating,
    ExifTags.Base.XPTitle, ExifTags.Base.XPComment, ExifTags.Base.XPAuthor, ExifTags.Base.XPKeywords,
    ExifTags.Base.XPSubject,
)  # fmt: skip
# Of the second directory no tags that are wrong for a result, and no maker notes, because a copy breaks their offsets.
_LEFT_OUT = (
    ExifTags.Base.MakerNote, ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight, ExifTags.Base.ColorSpace,
    ExifTags.Base.ExifInteroperabilityOffset,
)  # fmt: skip
MAX_KEPT_BYTES = 60_000  # a JPEG segment has at most 65,533
_RESOLUTIONS = (1.0, 100_000.0)


def parse(data: bytes | None) -> Mapping[int, Any]:
    """Return the tags of the first EXIF directory as a dict from tag number to value.

    data: EXIF data with or without the prefix `Exif`, or None.

    Return an empty dict if there are no tags or the data is broken.
    """
    if not data:
        return {}
    exif = Image.Exif()
    try:
        exif.load(data if data.startswith(b"Exif\0\0") else b"Exif\0\0" + data)
        return dict(exif)
    except Exception:  # Pillow raises many kinds of errors; broken metadata does not reject a picture
        return {}


def orientation(tags: Mapping[int, Any]) -> int:
    """Return the EXIF orientation, 1..8, or 1 if it is missing or invalid.

    tags: the result of `parse`.
    """
    value = tags.get(_ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def resolution(tags: Mapping[int, Any]) -> tuple[float, float] | None:
    """Return the horizontal and vertical resolution in pixels per inch, or None if it is missing or implausible.

    tags: the result of `parse`.
    """
    unit = tags.get(_RESOLUTION_UNIT, 2)
    if unit not in (2, 3):
        return None
    try:
        x, y = float(tags[_X_RESOLUTION]), float(tags[_Y_RESOLUTION])
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return plausible(x, y, unit="cm" if unit == 3 else "inch")


def plausible(x: float, y: float, *, unit: str) -> tuple[float, float] | None:
    """Return a resolution converted to pixels per inch, or None if a value is outside 1..100,000.

    x, y: the horizontal and vertical resolution in pixels per `unit`.
    unit: `inch`, `cm` or `m`.

    Values close to a whole number are rounded.
    """
    factor = {"inch": 1.0, "cm": _CM_PER_INCH, "m": _CM_PER_INCH / 100}[unit]
    x, y = x * factor, y * factor
    low, high = _RESOLUTIONS
    # pHYs and BMP store pixels per metre, so 300 per inch is read as 299.9994.
    x, y = (round(value) if math.isfinite(value) and abs(value - round(value)) < 0.02 else value for value in (x, y))
    return (x, y) if low <= x <= high and low <= y <= high else None


def kept(data: bytes, *, gps: bool) -> bytes:
    """Return the EXIF data to write into a result file: descriptive tags, and the location if `gps` is True.

    data: the source's EXIF data, with or without the prefix `Exif`; may be empty.

    The result has no prefix `Exif`. Return empty bytes if the data is empty or broken, or if the result would exceed
    MAX_KEPT_BYTES.
    """
    if not data:
        return b""
    source, copy = Image.Exif(), Image.Exif()
    try:
        source.load(data if data.startswith(b"Exif\0\0") else b"Exif\0\0" + data)
        copy.update({tag: source[tag] for tag in _DESCRIBING if tag in source})
        details = {tag: value for tag, value in source.get_ifd(ExifTags.IFD.Exif).items() if tag not in _LEFT_OUT}
        if details:
            copy[ExifTags.IFD.Exif] = details
        place = source.get_ifd(ExifTags.IFD.GPSInfo) if gps else {}
        if place:
            copy[ExifTags.IFD.GPSInfo] = dict(place)
        packed = copy.tobytes().removeprefix(b"Exif\0\0") if len(copy) else b""
    except Exception:  # Pillow raises many kinds of errors, as in `parse`
        return b""
    return packed if len(packed) <= MAX_KEPT_BYTES else b""
