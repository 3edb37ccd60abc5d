import cv2
import numpy as np
import pytest

from segmentation.encode import to_float
from segmentation.refine import refine
from segmentation.resizing import enlarge
from tests.segmentation.pictures import disc, texture

SIDE = 480
NOISE = np.random.default_rng(3).normal(0, 3, (SIDE, SIDE, 3)).astype(np.float32)


def scene(softness: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a drawn picture of an orange disc on blue with little noise, and the alpha of the disc.

    softness: the width of the disc's edge in pixels.
    """
    alpha = disc(SIDE, 150, softness)
    front, back = texture(SIDE, (210, 120, 50), 30, seed=1), texture(SIDE, (40, 80, 150), 30, seed=2)
    rgb = alpha[..., None] * front + (1 - alpha[..., None]) * back + NOISE
    return np.clip(rgb, 0, 255).astype(np.uint8), alpha


def error_beside_the_edge(found: np.ndarray, alpha: np.ndarray) -> float:
    band = cv2.dilate(((alpha > 0) & (alpha < 1)).astype(np.uint8), np.ones((15, 15))) > 0
    return float(np.abs(found - alpha)[band].mean())


@pytest.mark.parametrize("softness", [1, 6])
@pytest.mark.parametrize("blur_cells", [0.5, 1.0])
@pytest.mark.parametrize("cells", [60, 120])
def test_the_error_beside_the_edge_is_less_than_half_of_bilinear(cells, blur_cells, softness):
    rgb, alpha = scene(softness)
    small = cv2.GaussianBlur(cv2.resize(alpha, (cells, cells), interpolation=cv2.INTER_AREA), (0, 0), blur_cells)
    refined = error_beside_the_edge(to_float(refine(small, rgb)), alpha)
    bilinear = error_beside_the_edge(enlarge(small, SIDE, SIDE), alpha)
    assert refined < 0.5 * bilinear


def test_regions_that_are_sure_all_round_stay_as_they_are():
    rgb, alpha = scene(2)
    small = cv2.resize(alpha, (60, 60), interpolation=cv2.INTER_AREA)
    refined = to_float(refine(small, rgb))
    far = cv2.distanceTransform((np.abs(disc(SIDE, 150, 1) - 0.5) < 0.4).astype(np.uint8) ^ 1, cv2.DIST_L2, 5) > 40
    assert np.array_equal(refined[far], np.round(alpha[far]))


def test_alpha_stays_between_zero_and_one():
    rgb, alpha = scene(20)
    refined = to_float(refine(cv2.resize(alpha, (60, 60)), rgb))
    assert refined.dtype == np.float32
    assert refined.min() >= 0
    assert refined.max() <= 1


def test_a_region_of_doubt_is_not_forced_to_either_side():
    refined = to_float(refine(np.full((30, 40), 0.5, np.float32), np.full((300, 400, 3), 90, np.uint8)))
    np.testing.assert_allclose(refined, 0.5, atol=0.01)


@pytest.mark.parametrize("size", [(300, 400), (37, 911), (1000, 3), (30, 40), (7, 5), (1, 1)])
def test_every_size_of_picture_comes_out_at_its_size(size):
    generator = np.random.default_rng(1)
    small = generator.random((30, 40)).astype(np.float32)
    rgb = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
    refined = to_float(refine(small, rgb))
    assert refined.shape == size
    assert np.isfinite(refined).all()


def test_a_picture_of_the_engines_own_size_keeps_the_engines_alpha():
    small = np.random.default_rng(1).random((30, 40)).astype(np.float32)
    np.testing.assert_allclose(to_float(refine(small, np.zeros((30, 40, 3), np.uint8))), small, atol=1e-5)


def test_the_whole_picture_is_refined_alike_however_many_pixels_are_done_at_once(monkeypatch):
    rgb, alpha = scene(4)
    small = cv2.resize(alpha, (60, 60), interpolation=cv2.INTER_AREA)
    at_once = to_float(refine(small, rgb))
    monkeypatch.setattr("segmentation.beside._BLOCK_PIXELS", 1000)
    assert np.abs(to_float(refine(small, rgb)) - at_once).max() < 2e-5
