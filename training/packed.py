"""Training pictures that stay compressed in memory and are decoded when they are used.

Twenty thousand pictures of 416 x 416 pixels need 14 GB if they are decoded. As JPEG (photos) and PNG (masks) they need
1.5 GB. On a CPU core, decoding a picture takes a hundredth of the time of a training step with this picture.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import torch
from torch import Tensor

JPEG = (".jpg", (cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444))
PNG = (".png", (cv2.IMWRITE_PNG_COMPRESSION, 1))


def compressed(picture: np.ndarray) -> bytes:
    """Return a picture, (S, S, 3) RGB or (S, S) gray, uint8, as a JPEG or PNG file."""
    suffix, settings = JPEG if picture.ndim == 3 else PNG
    pixels = picture[..., ::-1] if picture.ndim == 3 else picture
    return cv2.imencode(suffix, np.ascontiguousarray(pixels), settings)[1].tobytes()


class Packed:
    """A list of compressed square pictures of `size` x `size` pixels.

    An index is a tensor of row numbers. It returns the decoded pictures of these rows as one uint8 tensor.

    colour: True for RGB, False for gray.
    """

    def __init__(self, size: int, *, colour: bool) -> None:
        self.size, self.colour = size, colour
        self.device = torch.device("cpu")
        self._files: list[bytes] = []

    @classmethod
    def of(cls, pictures: list[np.ndarray], size: int, *, colour: bool) -> Packed:
        """Return an object of this class that contains these pictures, compressed.

        pictures: arrays, (S, S, 3) RGB or (S, S) gray, uint8.
        size: the side S in pixels.
        colour: True for RGB, stored as JPEG; False for gray, stored as PNG.
        """
        packed = cls(size, colour=colour)
        for picture in pictures:
            packed.append(compressed(picture))
        return packed

    def append(self, file: bytes) -> None:
        """Add one picture, the result of `compressed`."""
        self._files.append(file)

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the pictures at `rows` (B,) as (B, S, S, 3) or (B, S, S) uint8."""
        pictures = self._blank(len(rows))
        for place, row in enumerate(rows.tolist()):
            pictures[place] = self._decoded(row)
        return torch.from_numpy(pictures)

    def _blank(self, count: int) -> np.ndarray:
        """Return an array for `count` pictures whose values are not set."""
        return np.empty((count, self.size, self.size, 3) if self.colour else (count, self.size, self.size), np.uint8)

    def _decoded(self, row: int) -> np.ndarray:
        flag = cv2.IMREAD_COLOR_RGB if self.colour else cv2.IMREAD_GRAYSCALE
        picture = cv2.imdecode(np.frombuffer(self._files[row], np.uint8), flag)
        assert picture is not None  # `append` has written it
        return picture

    def to(self, device: torch.device) -> Packed | Tensor:
        """For a CPU, return this object unchanged. For a GPU, return a tensor of all decoded pictures.

        A GPU would otherwise wait while single pictures are decoded. All cores decode.
        """
        if device.type == "cpu":
            return self
        pictures = self._blank(len(self))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for row, picture in enumerate(pool.map(self._decoded, range(len(self)))):
                pictures[row] = picture
        return torch.from_numpy(pictures).to(device)
