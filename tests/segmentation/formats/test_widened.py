"""Tests of the scaling of levels to the full range of their type."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.formats.opened import widened
from segmentation.image import Limits, decode
from tests.segmentation.formats.build import tiff


@pytest.mark.parametrize("bits", range(1, 17))
def test_levels_are_rounded_to_the_nearest_one(bits: int) -> None:
    levels = np.arange(2**bits, dtype=np.uint8 if bits <= 8 else np.uint16)
    full = 255 if bits <= 8 else 65535

    scaled = widened(levels, bits)

    assert scaled.dtype == (np.uint8 if bits <= 8 else np.uint16)
    assert np.abs(scaled - levels * (full / (2**bits - 1))).max() <= 0.5


def test_a_tiff_of_six_bits_is_rounded() -> None:
    levels = np.arange(64, dtype=np.uint8).reshape(8, 8)

    picture = decode(tiff(levels, bitspersample=6, photometric="minisblack"), Limits())

    assert np.array_equal(picture.rgb[..., 0], np.rint(levels * (255 / 63)))
