"""Small copies of picture files, for lists of many pictures."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps

from segmentation.encode import encode_webp
from segmentation.formats.sniff import sniff
from segmentation.image import Limits, decode
from segmentation.postprocess import to_levels

_QUALITY = 80


def small_webp(data: bytes, limits: Limits, side_px: int) -> bytes:
    """Return a picture file as a small WebP whose longer side is at most `side_px`. The EXIF rotation is applied.

    A JPEG is decoded at a fraction of its size, which takes a tenth of the time. Raise the ImageErrors of `decode`.
    """
    picture = _reduced_jpeg(data, side_px) if sniff(data) == "jpeg" else _decoded(data, limits)
    picture.thumbnail((side_px, side_px))
    return encode_webp(np.asarray(picture), _QUALITY)


def _reduced_jpeg(data: bytes, side_px: int) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.draft("RGB", (side_px, side_px))
    return ImageOps.exif_transpose(picture).convert("RGB")


def _decoded(data: bytes, limits: Limits) -> Image.Image:
    picture = decode(data, limits)
    if picture.alpha is None:
        return Image.fromarray(picture.rgb)
    return Image.fromarray(np.dstack([picture.rgb, to_levels(picture.alpha)]))
