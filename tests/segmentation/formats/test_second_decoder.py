"""Tests that compare the decoded pixels with those of a second decoder: OpenCV, or another one for some formats."""

from __future__ import annotations

import io
from collections import Counter

import cv2
import imagecodecs
import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from segmentation.formats.ifd import directories
from segmentation.image import Limits, decode
from tests.segmentation.formats import rows

LIMITS = Limits()
# Rows that a second decoder reads differently: stored colours, damaged files, the first page.
_OTHERWISE = ("converted", "tone-mapped", "damaged", "reduced")
# Kinds of JPEG 2000, JPEG XL and BMP that the second decoder reads incorrectly or less exactly, or does not scale.
_NOT_COMPARED = ("sYCC", "any order", "1 to 7 bits", "any masks", "palette", "ICC", "header V4", "animation")


@pytest.mark.slow
def test_a_second_decoder_sees_the_same_pixels() -> None:
    compared: Counter[str] = Counter()
    for row in rows.ROWS:
        if row.refused or any(word in " ".join((row.result, *row.notes)) for word in _OTHERWISE):
            continue
        for number, file in enumerate(row.files()):
            if row.format in ("JPEG 2000", "JPEG XL", "BMP") and any(words in row.what for words in _NOT_COMPARED):
                continue
            second = _second(row.format, file.data)
            if second is None:
                continue
            picture = decode(file.data, LIMITS)
            assert second.shape == picture.rgb.shape, (row.format, row.what, number)
            difference = np.abs(second.astype(int) - picture.rgb).max(-1)
            if picture.alpha is not None:
                difference = difference[picture.alpha > 0.999]  # colours may be premultiplied
            if file.lossy and difference.size < 1000:
                continue
            most = np.percentile(difference, 97) if file.lossy else difference.max(initial=0)
            assert most <= max(file.tolerance, 2), (row.format, row.what, number, most)
            compared[row.format] += 1

    assert compared["TIFF"] > 150, compared
    assert compared["PNG"] > 30, compared
    assert set(compared) == {row.format for row in rows.ROWS} - {"HEIC"}, compared  # HEIC has no second decoder


def _second(name: str, data: bytes) -> np.ndarray | None:
    """Return a file's pixels, (H, W, 3) uint8, from the second decoder; None if it does not support the file."""
    if name == "HEIC":
        return None
    if name == "JPEG XL":
        return _plain(imagecodecs.jpegxl_decode(data, index=0))
    if name == "TIFF":
        return _tiff(data)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if pixels is None else pixels


def _tiff(data: bytes) -> np.ndarray | None:
    """Decode a TIFF with libtiff, or with Pillow for palettes, YCbCr, CMYK and samples below 8 bits; return its pixels.

    Return None if libtiff does not support the file.
    """
    tags = next(directories(data))
    photometric = tags.get(262)
    if photometric in ((3,), (6,), (5,)) or min(tags.get(258, (1,))) < 8:
        try:
            with Image.open(io.BytesIO(data)) as image:
                return np.asarray(image.convert("RGB"))
        except UnidentifiedImageError:
            return None
    try:
        samples = imagecodecs.tiff_decode(data, index=0)
    except imagecodecs.TiffError:
        return None
    if samples.ndim == 3 and samples.shape[0] in (3, 4) and samples.shape[-1] not in (3, 4):
        samples = np.moveaxis(samples, 0, -1)
    plain = _plain(samples)
    return 255 - plain if photometric == (0,) else plain


def _plain(samples: np.ndarray) -> np.ndarray:
    samples = samples if samples.dtype == np.uint8 else ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.dstack([samples] * 3) if samples.ndim == 2 else samples[..., :3]
