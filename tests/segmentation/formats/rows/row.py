"""The classes for the rows and the files of the table in docs/formats.md, and pictures that several formats use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tests.segmentation.formats.build import saved, small


@dataclass(frozen=True, slots=True)
class File:
    """One file and its expected pixels.

    rgb: (H, W, 3) uint8. alpha: (H, W) uint8 or None. tolerance: the largest allowed difference of a pixel, in levels
    0..255. lossy: True if up to 3 % of the pixels may have a larger difference.
    """

    data: bytes
    rgb: np.ndarray
    alpha: np.ndarray | None = None
    tolerance: int = 1
    lossy: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    what: the kind of files. result: the text about the result. files: a function that returns the files. notes: the
    expected notes about the picture. refused: the text of the expected error; empty if the files must be readable.
    """

    format: str
    what: str
    result: str
    files: Callable[[], Iterable[File | bytes]]
    notes: tuple[str, ...] = ()
    refused: str = ""


DEEP_COLOR = "depth: 16-bit colour scaled to 8 bits"
DEEP_GRAY = "depth: 16-bit gray scaled to 8 bits"
CUT = "damaged: the missing end of the file was ignored"
SUM = "damaged: a wrong checksum was ignored"
EIGHT, TO_EIGHT, AS_SRGB = "8 bits, sRGB", "8 bits (scaled), sRGB", "converted to sRGB"


def gray() -> np.ndarray:
    return small()[..., 1]


def three(gray: np.ndarray) -> np.ndarray:
    return np.dstack([gray] * 3)


def numbers_of(depth: int) -> np.ndarray:
    """Return the gray picture with `depth` bits per sample."""
    return gray() >> (8 - depth)


def shown(numbers: np.ndarray, depth: int) -> np.ndarray:
    return three((numbers.astype(int) * 255 // (2**depth - 1)).astype(np.uint8))


def swapped(rgb: np.ndarray) -> np.ndarray:
    return rgb[..., [1, 0, 2]]


def one_color(data: bytes, color: tuple[int, int, int], tolerance: int = 2) -> File:
    """Return a File of which the test checks only the colour of one pixel."""
    return File(data, np.array([[color]], np.uint8), tolerance=tolerance)


def animated(name: str) -> bytes:
    frames = [Image.new("RGB", (24, 16), color) for color in ("red", "green", "blue")]
    return saved(frames[0], name, save_all=True, append_images=frames[1:])


RED = (255, 0, 0)


def gray_of_light(level: int) -> tuple[int, int, int]:
    light = level / 255
    value = round(255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055))
    return value, value, value
