"""Tests of the model's second forward pass: it covers a part of the picture, and both results are combined."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.engines.closer_look import subject_box, united
from segmentation.engines.cropping import span_of
from segmentation.options import Box
from tests.segmentation.test_engines import SIZE, RecordingSession, engine_of


def logits_with(*parts: tuple[int, int, int, int]) -> np.ndarray:
    """Return logits (40, 40) in which the boxes `parts` (left, top, right, bottom) are the subject."""
    logits = np.full((40, 40), -5.0, np.float32)
    for left, top, right, bottom in parts:
        logits[top:bottom, left:right] = 5.0
    return logits


def test_a_subject_is_boxed_in_pixels_of_the_picture():
    assert subject_box(logits_with((10, 20, 20, 30)), 400, 80) == Box(100, 40, 200, 60)


def test_parts_of_like_size_belong_together_and_crumbs_do_not():
    found = subject_box(logits_with((4, 4, 14, 14), (20, 4, 28, 12), (38, 38, 40, 40)), 40, 40)
    assert found == Box(4, 4, 28, 14)


@pytest.mark.parametrize(
    "parts", [[], [(1, 1, 39, 39)], [(0, 0, 8, 8), (32, 32, 40, 40)]], ids=["nothing", "one large", "two far apart"]
)
def test_there_is_nothing_to_look_at_again(parts):
    assert subject_box(logits_with(*parts), 400, 400) is None


def test_what_is_thinner_than_a_box_may_be_is_left():
    assert subject_box(logits_with((10, 10, 12, 30)), 20, 20) is None


def test_both_looks_are_averaged_where_both_look_and_at_the_closer_ones_fineness():
    whole, closer = np.full((2, 32, 32), -4.0, np.float32), np.full((2, 32, 32), 8.0, np.float32)

    both = united(whole, closer, Box(50, 25, 100, 50), 200, 100)

    assert both.shape == (2, 64, 64)
    np.testing.assert_allclose(both[:, 16:32, 16:32], 2.0)
    np.testing.assert_allclose(both[:, 32:], -4.0)
    np.testing.assert_allclose(both[:, :, 32:], -4.0)


def test_views_are_laid_down_where_they_lie_on_the_average():
    generator = np.random.default_rng(0)
    errors = []
    for left, top in generator.integers(0, 500, (400, 2)).tolist():
        down, across = span_of(Box(left, top, left + 400, top + 400), 1000, 1000, 320, 320)
        errors += [across.start - left * 0.32, across.stop - (left + 400) * 0.32, down.start - top * 0.32]
    assert np.abs(errors).max() <= 0.5
    assert abs(np.mean(errors)) < 0.05
    assert span_of(Box(998, 998, 1000, 1000), 1000, 1000, 320, 320) == (slice(319, 320), slice(319, 320))


def test_an_engine_shows_its_network_what_it_found_by_itself_and_boxed():
    rgb = np.zeros((256, 256, 3), np.uint8)
    rgb[64:128, 128:192, 0] = 255
    session = RecordingSession()

    matte = engine_of(session, second_look=True, box_margin=0.5).auto(rgb)

    ((whole,), (closer,)) = session.batches
    assert (whole[3] == 0).all()
    rows, columns = np.nonzero(closer[3] > 0)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (16, 48, 16, 48)
    np.testing.assert_array_equal(closer[0] > 0.5, closer[3] > 0)
    assert matte.alpha.shape == matte.people.shape == (2 * SIZE, 2 * SIZE)
    np.testing.assert_allclose(matte.alpha[32:64, 64:96], 1.0, atol=0.01)
    assert matte.alpha.sum() == pytest.approx(32 * 32, rel=0.15)


def test_an_engine_looks_once_where_it_was_not_told_to_look_again():
    rgb = np.zeros((256, 256, 3), np.uint8)
    rgb[64:128, 128:192, 0] = 255
    session = RecordingSession()

    engine_of(session).auto(rgb)

    assert len(session.batches) == 1
