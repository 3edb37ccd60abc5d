"""The common interface of the format modules: a picture with a parsed header, and its samples after decoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from segmentation.encoding import Encoding
from segmentation.errors import ImageUnreadable

Model = Literal["gray", "rgb", "cmyk", "lab"]
Box = tuple[int, int, int, int]  # left, top, right and bottom in pixels

DAMAGED_END = "damaged: the missing end of the file was ignored"
DAMAGED_SUM = "damaged: a wrong checksum was ignored"


@dataclass(frozen=True, slots=True)
class Header:
    """The properties of a file before its pixels are decoded.

    width, height: as stored, in pixels.
    turn: the EXIF orientation, 1..8, that must still be applied to the samples.
    turned: the EXIF orientation to report to the user. It is reported even if the decoder has already applied it.
    resolution: horizontal and vertical pixels per inch, as stored, or None.
    notes: sentences for the result.
    exif: EXIF data with or without its prefix. For a TIFF, this is the whole file, whose first directory has the same
    format.
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
    """Decoded pixels as stored, before rotation and colour conversion.

    pixels: (H, W) gray, (H, W, 3) RGB or CIELAB, or (H, W, 4) CMYK, where 0 means no ink. The type is uint8 or uint16,
    and the values use the full range of the type. In CIELAB, half of the range is added to a and b.
    alpha: (H, W) of the same type as `pixels`; None for an opaque picture. The colours are not premultiplied by it.
    profile: an ICC profile, which has priority over `encoding` if it is usable.
    encoding: the colour encoding that the file states in another way; None means sRGB.
    """

    pixels: np.ndarray
    model: Model
    alpha: np.ndarray | None = None
    profile: bytes | None = None
    encoding: Encoding | None = None
    notes: tuple[str, ...] = ()


class Opened(Protocol):
    """A picture file with a parsed header.

    If a method raises an exception that is not an ImageError, the file is damaged.
    """

    @property
    def header(self) -> Header: ...

    def prove(self) -> None:
        """Decode all pixels without keeping them. Raise an exception if a pixel cannot be decoded."""

    def samples(self) -> Samples:
        """Return the decoded pixels. Raise an exception if they cannot be decoded."""


def without_range(kind: str) -> ImageUnreadable:
    """Return the error for samples without a fixed range, which cannot be displayed.

    kind: the samples' kind, such as `floating-point`.
    """
    return ImageUnreadable(
        f"The picture holds {kind} samples, which have no range to display. Save it with 8 or 16 bits a channel."
    )


def divided(colors: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return colours divided by the alpha by which they were premultiplied; 0 where alpha is 0."""
    most = np.iinfo(colors.dtype).max
    shares = alpha if colors.ndim == 2 else alpha[..., None]
    scaled = np.divide(
        colors.astype(np.float32) * most, shares, out=np.zeros(colors.shape, np.float32), where=shares > 0
    )
    return np.rint(np.clip(scaled, 0, most)).astype(colors.dtype)


def widened(levels: np.ndarray, bits: int) -> np.ndarray:
    """Return levels of 1 to 16 bits, scaled to the full range and rounded: uint8 for up to 8 bits, otherwise uint16.

    levels: 0 to 2 ** bits - 1, of any shape.
    """
    most, full = (1 << bits) - 1, 255 if bits <= 8 else 65535
    kind = np.dtype(np.uint8 if bits <= 8 else np.uint16)
    if most == full:
        return levels.astype(kind, copy=False)
    table = ((np.arange(most + 1, dtype=np.uint64) * full + most // 2) // most).astype(kind)
    return table.take(levels, mode="clip")


def only_within(alpha: np.ndarray | None, box: Box, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return an alpha that is 0 outside of an animation's first frame, as in browsers.

    alpha: (H, W) uint8, or None if the frame is opaque. box: the frame's place. shape: height and width of the picture.
    """
    height, width = shape
    left, top, right, bottom = box
    if left <= 0 and top <= 0 and right >= width and bottom >= height:
        return alpha
    inside = np.zeros((height, width), np.uint8)
    inside[top:bottom, left:right] = 255 if alpha is None else alpha[top:bottom, left:right]
    return inside
