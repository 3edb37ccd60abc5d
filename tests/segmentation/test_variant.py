"""Tests of previews at screen size for the editor: the stored alpha is read and reduced only once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from segmentation import variant
from segmentation.encode import encode_alpha, encode_png, quantize, read_alpha
from segmentation.image import Limits
from segmentation.options import CutoutOptions
from segmentation.variant import VariantInput, edited_alpha


@pytest.fixture
def wanted(tmp_path: Path) -> VariantInput:
    alpha, ids = tmp_path / "alpha.png", tmp_path / "ids.png"
    alpha.write_bytes(encode_alpha(quantize(np.ones((80, 120), np.float32))))
    people = np.ones((80, 120), np.uint8)
    people[:, 60:] = 2
    ids.write_bytes(encode_png(people))
    limits = Limits()
    return VariantInput(tmp_path / "source.jpg", alpha, CutoutOptions(), limits, limits, ids=ids, size=(60, 40))


def with_people(wanted: VariantInput, *people: int) -> np.ndarray:
    return read_alpha(edited_alpha(replace(wanted, people=people)))


def test_the_alpha_of_a_moving_slider_is_reduced_once(wanted: VariantInput, monkeypatch: pytest.MonkeyPatch):
    reduced: list[tuple[int, int]] = []
    resized = variant.resized
    monkeypatch.setattr(variant, "resized", lambda png, size: reduced.append(size) or resized(png, size))

    for _ in range(3):
        assert read_alpha(edited_alpha(wanted)).shape == (40, 60)

    assert reduced == [(60, 40)]


def test_other_people_and_a_new_file_are_read_again(wanted: VariantInput):
    left, right = with_people(wanted, 1), with_people(wanted, 2)
    wanted.alpha.write_bytes(encode_alpha(quantize(np.zeros((80, 120), np.float32))))
    os.utime(wanted.alpha, ns=(1, 1))

    assert (left[:, :25].min(), left[:, 35:].max()) == (1, 0)
    assert (right[:, :25].max(), right[:, 35:].min()) == (0, 1)
    assert with_people(wanted, 1).max() == 0
