"""Pictures for tests: one real photo from scikit-image, and drawn pictures with known alpha."""

import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image
from skimage import data


@cache
def astronaut() -> np.ndarray:
    """Return a photo of a person in front of a flag, (512, 512, 3) uint8."""
    return data.astronaut()


def corners(width: int = 48, height: int = 32) -> np.ndarray:
    """Return a picture of red, green, blue and white quarters, which looks different in each orientation."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 2] = (255, 0, 0)
    rgb[: height // 2, width // 2 :] = (0, 255, 0)
    rgb[height // 2 :, : width // 2] = (0, 0, 255)
    rgb[height // 2 :, width // 2 :] = (255, 255, 255)
    return rgb


def encoded(pixels: np.ndarray | Image.Image, file_format: str = "PNG", **parameters: Any) -> bytes:
    """Return an array or a Pillow image as the bytes of an image file.

    file_format: Pillow's name of the format. parameters: the encoder's options.
    """
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, file_format, **parameters)
    return stream.getvalue()


def disc(side: int, radius: float, softness: float) -> np.ndarray:
    """Return the alpha of a disc in the middle, (side, side) float32. softness: the width of its edge in pixels."""
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    return np.clip((radius - np.hypot(x, y)) / softness + 0.5, 0, 1).astype(np.float32)


def texture(side: int, color: tuple[int, int, int], contrast: float, seed: int) -> np.ndarray:
    """Return a coloured surface with smooth random variation, (side, side, 3) float32 0..255."""
    generator = np.random.default_rng(seed)
    coarse = generator.uniform(-contrast, contrast, (8, 8, 3)).astype(np.float32)
    smooth = np.stack(
        [
            np.asarray(Image.fromarray(plane).resize((side, side), Image.Resampling.BICUBIC))
            for plane in coarse.transpose(2, 0, 1)
        ],
        axis=-1,
    )
    return np.clip(np.array(color, np.float32) + smooth, 0, 255)


def half_red() -> np.ndarray:
    """Return a picture of 200 x 100 pixels: red on the left with a yellow stripe at the bottom, black on the right."""
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[:, :100, 0] = 255
    picture[75:, :100, 1] = 255
    return picture
