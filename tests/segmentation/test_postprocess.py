import numpy as np
import pytest

from segmentation.encode import to_float
from segmentation.options import AlphaMode, Box, CutoutOptions
from segmentation.postprocess import (
    erode,
    feather,
    foreground_box,
    shape_alpha,
    soften_levels,
    threshold_binary,
    to_levels,
)

ALPHA = np.random.default_rng(7).random((41, 57)).astype(np.float32)
BLOBS = np.kron(np.random.default_rng(8).random((11, 13)), np.ones((7, 7))).astype(np.float32)
# For a 5 x 5 kernel without a sigma, OpenCV uses this table instead of the formula of a Gaussian.
FEATHER_WEIGHTS = np.array([1, 4, 6, 4, 1]) / 16


def eroded_by_hand(values: np.ndarray, side: int) -> np.ndarray:
    """Return an array that contains for each pixel the minimum of the values in a square of `side` x `side` pixels.

    The pixel is in the middle of its square. If `side` is even, the square has one more pixel before this pixel than
    after it, as in OpenCV.
    """
    before, after = side // 2, side - 1 - side // 2
    padded = np.pad(values, ((before, after), (before, after)), constant_values=255)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    return windows.min(axis=(2, 3))


def feathered_by_hand(values: np.ndarray) -> np.ndarray:
    """Return for each pixel the weighted mean of the 5 x 5 pixels around it.

    At the border, the values are mirrored. The border pixel itself is not repeated.
    """
    padded = np.pad(values.astype(float), 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5))
    return np.einsum("hwij,i,j->hw", windows, FEATHER_WEIGHTS, FEATHER_WEIGHTS)


def binary_by_hand(alpha: np.ndarray, threshold: int, erosion: int, feathering: bool) -> np.ndarray:
    values = np.where(alpha > threshold / 50.0, 255, 0)
    values = eroded_by_hand(values, erosion + 1)
    return feathered_by_hand(values) if feathering else values.astype(float)


@pytest.mark.parametrize("feathering", [False, True])
@pytest.mark.parametrize("erosion", range(6))
@pytest.mark.parametrize("threshold", [0, 1, 10, 25, 49, 50])
def test_binary_mode_is_threshold_then_erosion_then_feathering(threshold, erosion, feathering):
    options = CutoutOptions(alpha_mode=AlphaMode.BINARY, threshold=threshold, erosion=erosion, feathering=feathering)
    shaped = shape_alpha(BLOBS, options)
    assert shaped.dtype == np.uint8
    # Feathering in fixed point may round in the other direction; without it every level is the same.
    tolerance = 0.51 if feathering else 0
    assert np.abs(shaped - binary_by_hand(BLOBS, threshold, erosion, feathering)).max() <= tolerance


def test_the_threshold_keeps_what_lies_strictly_above_it():
    alpha = np.array([[0.19, 0.2, np.nextafter(np.float32(0.2), np.float32(1)), 1]], np.float32)
    assert threshold_binary(alpha, 10).tolist() == [[0, 0, 255, 255]]


def test_the_highest_binary_threshold_keeps_nothing():
    assert not threshold_binary(np.ones((3, 3), np.float32), 50).any()


def test_an_erosion_of_zero_changes_nothing():
    levels = to_levels(ALPHA)
    assert erode(levels, 0) is levels


def test_erosion_takes_nothing_from_a_subject_at_the_border():
    assert (erode(np.full((9, 9), 255, np.uint8), 5) == 255).all()


def test_feathering_leaves_flat_regions_alone():
    assert (feather(np.full((9, 9), 200, np.uint8)) == 200).all()


def test_a_soft_threshold_of_zero_changes_nothing():
    assert np.array_equal(soften_levels(ALPHA, 0), ALPHA)


def test_a_soft_threshold_of_fifty_is_a_step_at_one_half():
    assert np.array_equal(soften_levels(ALPHA, 50), ALPHA > 0.5)


@pytest.mark.parametrize("threshold", [1, 10, 30, 49])
def test_a_soft_threshold_stretches_what_lies_between_its_ends(threshold):
    low = threshold / 100
    expected = np.interp(ALPHA, [low, 1 - low], [0, 1])
    np.testing.assert_allclose(soften_levels(ALPHA, threshold), expected, atol=1e-5)


def test_soft_mode_erodes_and_feathers_gray_levels():
    options = CutoutOptions(threshold=0, erosion=2, feathering=True)
    levels = np.rint(ALPHA.astype(float) * 255)
    expected = feathered_by_hand(eroded_by_hand(levels, 3))
    assert np.abs(shape_alpha(ALPHA, options) - expected).max() <= 1


def test_soft_mode_keeps_half_transparent_hair():
    assert shape_alpha(np.full((4, 4), 0.5, np.float32), CutoutOptions())[0, 0] == 128


def test_the_foreground_box_is_tight():
    alpha = np.zeros((20, 30), np.uint8)
    alpha[5:9, 11:17] = 255
    assert foreground_box(alpha) == Box(11, 5, 17, 9)


def test_the_foreground_box_does_not_see_haze():
    alpha = np.full((20, 30), 7, np.uint8)
    assert foreground_box(alpha) is None


@pytest.mark.parametrize("place", [(0, 0), (0, 29), (19, 0), (19, 29)])
def test_a_single_pixel_gets_a_box_of_two_inside_the_picture(place):
    alpha = np.zeros((20, 30), np.uint8)
    alpha[place] = 255
    box = foreground_box(alpha)
    assert (box.right - box.left, box.bottom - box.top) == (2, 2)
    assert box.clipped(30, 20) == box
    assert alpha[box.top : box.bottom, box.left : box.right].any()


@pytest.mark.parametrize("mode", list(AlphaMode))
@pytest.mark.parametrize("threshold", [0, 7, 25, 50])
def test_quantised_alpha_is_shaped_as_its_float_values_are(mode, threshold):
    values = np.random.default_rng(3).integers(0, 65536, (60, 80)).astype(np.uint16)
    options = CutoutOptions(alpha_mode=mode, threshold=threshold, erosion=1, feathering=True)
    assert np.array_equal(shape_alpha(values, options), shape_alpha(to_float(values), options))
