"""Real photos for tests. They come from the package scikit-image, so that nothing is downloaded."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image
from skimage import data


def astronaut() -> np.ndarray:
    """Return a photo of a person in front of a flag and a shuttle, (512, 512, 3) uint8 sRGB."""
    return data.astronaut()


@cache
def encoded(format_name: str, **options: int) -> bytes:
    """Return the photo `astronaut` as the bytes of an image file. format_name: Pillow's name of the format.

    options: the encoder's options.
    """
    return encode(astronaut(), format_name, **options)


def encode(pixels: np.ndarray, format_name: str, **options: object) -> bytes:
    """Return pixels, (H, W), (H, W, 3) or (H, W, 4) uint8, as the bytes of an image file.

    format_name: Pillow's name of the format. options: the encoder's options.
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format_name, **options)
    return buffer.getvalue()
