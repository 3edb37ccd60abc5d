"""What every format module returns: a picture whose header was read, and its samples once they are decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from segmentation.encoding import Encoding
from segmentation.errors import ImageUnreadable

Model = Literal["gray", "rgb", "cmyk", "lab"]

DAMAGED_END = "damaged: the missing end of the file was ignored"
DAMAGED_SUM = "damaged: a wrong checksum was ignored"


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says before its pixels are decoded.

    width, height: as stored, in pixels. turn: the EXIF orientation, 1..8, still to be applied to the samples.
    turned: the orientation to report, also where the decoder applies it. resolution: pixels per inch across and down,
    as stored. exif: with or without its prefix; of a TIFF the file itself, whose first directory is the same.
    """

    width: int
    height: int
    turn: int = 1
    turned: int = 1
    resolution: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    exif: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Decoded pixels as stored, neither upright nor converted.

    pixels: (H, W) gray, (H, W, 3) RGB or CIELAB, (H, W, 4) CMYK with 0 for no ink; uint8, or uint16 over its full
    range. CIELAB has L over the full range, and a and b offset by half of it.
    alpha: (H, W) of the same type, not premultiplied.
    profile: an ICC profile. encoding: colours given otherwise; None means sRGB. A usable profile goes first.
    """

    pixels: np.ndarray
    model: Model
    alpha: np.ndarray | None = None
    profile: bytes | None = None
    encoding: Encoding | None = None
    notes: tuple[str, ...] = ()


class Opened(Protocol):
    """A picture whose header was parsed. Any exception of a decoder means that the file is damaged."""

    @property
    def header(self) -> Header: ...

    def prove(self) -> None:
        """Raise when the pixels cannot be decoded completely; keep none."""

    def samples(self) -> Samples:
        """Decode the pixels."""


def without_range(kind: str) -> ImageUnreadable:
    """Build the error for samples that have no range to display."""
    return ImageUnreadable(
        f"The picture holds {kind} samples, which have no range to display. Save it with 8 or 16 bits a channel."
    )
