import numpy as np
import pytest

from segmentation.encode import to_float
from segmentation.foreground import decontaminate
from tests.segmentation.pictures import disc, texture

SIDE = 360


def composite(softness: float, back_color: tuple[int, int, int], contrast: float = 30):
    """Return a textured disc on a textured background, (H, W, 3) uint8, its alpha, and the disc's true colours.

    softness: the width of the disc's edge in pixels. contrast: the contrast of both textures.
    """
    alpha = disc(SIDE, 110, softness)
    front, back = texture(SIDE, (150, 90, 60), contrast, seed=1), texture(SIDE, back_color, contrast, seed=2)
    share = alpha[..., None]
    return np.rint(share * front + (1 - share) * back).astype(np.uint8), alpha, front


def visible_error(colors: np.ndarray, front: np.ndarray, alpha: np.ndarray) -> float:
    """Return the mean colour error of half-transparent pixels, weighted by alpha. front: the disc's true colours."""
    band = (alpha > 0.02) & (alpha < 0.98)
    errors = np.abs(colors[band].astype(float) - front[band]).mean(axis=1)
    return float(np.average(errors, weights=alpha[band]))


@pytest.mark.parametrize("softness", [4, 12, 40])
@pytest.mark.parametrize("back_color", [(20, 200, 40), (250, 250, 250), (10, 10, 30)])
def test_the_colour_error_in_the_edge_at_least_halves(softness, back_color):
    rgb, alpha, front = composite(softness, back_color)
    assert visible_error(decontaminate(rgb, alpha), front, alpha) < 0.5 * visible_error(rgb, front, alpha)


def test_a_green_screen_leaves_no_green_rim():
    rgb, alpha, front = composite(10, (0, 255, 0), contrast=5)
    band = (alpha > 0.1) & (alpha < 0.9)
    before = (rgb[band, 1] - front[band, 1]).mean()
    after = (decontaminate(rgb, alpha)[band, 1] - front[band, 1]).mean()
    assert before > 50
    assert abs(after) < 0.2 * before


def test_colours_outside_the_edge_stay_as_photographed():
    rgb, alpha, _front = composite(10, (20, 200, 40))
    sure = (alpha <= 0.01) | (alpha >= 0.99)
    assert np.array_equal(decontaminate(rgb, alpha)[sure], rgb[sure])


def test_the_picture_and_its_alpha_are_left_alone():
    rgb, alpha, _front = composite(10, (20, 200, 40))
    before = rgb.copy(), alpha.copy()
    decontaminate(rgb, alpha)
    assert np.array_equal(rgb, before[0])
    assert np.array_equal(alpha, before[1])


def test_a_hard_mask_changes_nothing():
    rgb, alpha, _front = composite(4, (20, 200, 40))
    assert np.array_equal(decontaminate(rgb, (alpha > 0.5).astype(np.float32)), rgb)


@pytest.mark.parametrize("shape", [(1, 1), (2, 50), (50, 2), (23, 31)])
def test_a_small_picture_is_no_exception(shape):
    generator = np.random.default_rng(0)
    rgb = generator.integers(0, 256, (*shape, 3), dtype=np.uint8)
    clean = decontaminate(rgb, generator.random(shape).astype(np.float32))
    assert clean.shape == rgb.shape
    assert clean.dtype == np.uint8


def test_without_a_sure_pixel_the_colours_stay_near_the_photo():
    rgb = np.full((64, 64, 3), (90, 120, 30), np.uint8)
    assert np.abs(decontaminate(rgb, np.full((64, 64), 0.5, np.float32)).astype(int) - rgb).max() <= 2


def test_the_whole_picture_is_corrected_alike_however_many_pixels_are_done_at_once(monkeypatch):
    generator = np.random.default_rng(8)
    rgb = generator.integers(0, 256, (90, 70, 3), dtype=np.uint8)
    alpha = generator.random((90, 70)).astype(np.float32)
    at_once = decontaminate(rgb, alpha)
    monkeypatch.setattr("segmentation.beside._BLOCK_PIXELS", 500)
    assert np.array_equal(decontaminate(rgb, alpha), at_once)


def test_quantised_alpha_gives_the_same_colours():
    generator = np.random.default_rng(9)
    rgb = generator.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    values = generator.integers(0, 65536, (64, 64)).astype(np.uint16)
    assert np.array_equal(decontaminate(rgb, values), decontaminate(rgb, to_float(values)))
