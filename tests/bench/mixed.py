"""The pictures of the benchmark: photos of the package scikit-image, resized and changed so that all files differ."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from functools import cache

import cv2
import numpy as np
from skimage import data

from tests import photos

FULL_HD = (1920, 1080)
# Width and height of the mixture, in turn: web pictures, phones and one camera.
SIZES = ((640, 480), (1024, 768), (1080, 1350), (1920, 1080), (1600, 1200), (800, 1200), (2048, 1536), (4000, 3000))
SMALL = (480, 360)
_PHOTOS = ("coffee", "astronaut", "chelsea", "rocket")


@cache
def _photo(name: str) -> np.ndarray:
    return np.ascontiguousarray(getattr(data, name)()[..., :3])


def picture(size: tuple[int, int], number: int = 0, *, quality: int = 90) -> bytes:
    """Return a JPEG of `size` (width, height). Each `number` gives different pixels."""
    width, height = size
    pixels = _photo(_PHOTOS[number % len(_PHOTOS)])
    if (number // len(_PHOTOS)) % 2:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    scale = max(width / pixels.shape[1], height / pixels.shape[0])
    enlarged = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    top = (enlarged.shape[0] - height) // 2
    left = (enlarged.shape[1] - width) // 2
    cropped = enlarged[top : top + height, left : left + width]
    brighter = cv2.convertScaleAbs(cropped, alpha=1 + (number % 37) / 200, beta=number % 11)
    return photos.encode(brighter, "JPEG", quality=quality)


def mixture(count: int, *, start: int = 0) -> list[bytes]:
    """Return `count` different photos of various sizes. start: the number of the first photo."""
    return [picture(SIZES[number % len(SIZES)], number) for number in range(start, start + count)]


def zipped(pictures: Iterable[bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, content in enumerate(pictures):
            archive.writestr(f"photo-{number:04}.jpg", content)
    return stream.getvalue()
