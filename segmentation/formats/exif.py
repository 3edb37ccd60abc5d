"""Read orientation and resolution from EXIF (CIPA DC-008). Broken EXIF counts as none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from PIL import Image

_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_CM_PER_INCH = 2.54
_RESOLUTIONS = (1.0, 100_000.0)


def parse(data: bytes | None) -> Mapping[int, Any]:
    """Return the tags of the first directory of EXIF bytes, with or without their `Exif` prefix."""
    if not data:
        return {}
    exif = Image.Exif()
    try:
        exif.load(data if data.startswith(b"Exif\0\0") else b"Exif\0\0" + data)
        return dict(exif)
    except Exception:  # Pillow raises many kinds; broken metadata does not refuse a picture
        return {}


def orientation(tags: Mapping[int, Any]) -> int:
    """Return the orientation, 1..8; 1 for a missing or wrong one."""
    value = tags.get(_ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def resolution(tags: Mapping[int, Any]) -> tuple[float, float] | None:
    """Return pixels per inch across and down, or None."""
    unit = tags.get(_RESOLUTION_UNIT, 2)
    if unit not in (2, 3):
        return None
    try:
        x, y = float(tags[_X_RESOLUTION]), float(tags[_Y_RESOLUTION])
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return plausible(x, y, unit="cm" if unit == 3 else "inch")


def plausible(x: float, y: float, *, unit: str) -> tuple[float, float] | None:
    """Return a resolution in pixels per inch, given per `inch`, `cm` or `m`; None outside 1..100,000."""
    factor = {"inch": 1.0, "cm": _CM_PER_INCH, "m": _CM_PER_INCH / 100}[unit]
    x, y = x * factor, y * factor
    low, high = _RESOLUTIONS
    # pHYs and BMP count in metres, so 300 per inch comes back as 299.9994.
    x, y = (round(value) if math.isfinite(value) and abs(value - round(value)) < 0.02 else value for value in (x, y))
    return (x, y) if low <= x <= high and low <= y <= high else None
