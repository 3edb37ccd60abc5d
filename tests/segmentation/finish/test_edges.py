"""Tests of the steps that adapt the subject to a new background (keying, despill, light wrap and film grain).

Also tests of the handling of holes in the subject.
"""

import cv2
import numpy as np
import pytest
from skimage import data

from segmentation.finish.edges import add_grain, despill, grain_of, key_alpha, light_wrap
from segmentation.finish.holes import with_holes
from segmentation.finish.recipe import Holes
from segmentation.postprocess import to_levels
from tests.segmentation.finish.drawn import bottle, ring

GREEN = (30, 190, 60)


def mixed_edge(background):
    """Return a disc blended with a plain background, (H, W, 3) uint8, and its alpha with a soft edge of 12 pixels.

    background: the RGB colour of the background.
    """
    yy, xx = np.mgrid[:160, :160].astype(np.float32)
    alpha = np.clip((50 - np.hypot(xx - 80, yy - 80)) / 12 + 0.5, 0, 1)
    rgb = np.float32((210, 60, 50)) * alpha[..., None] + np.float32(background) * (1 - alpha[..., None])
    return np.rint(rgb).astype(np.uint8), alpha


def test_a_key_brings_a_rough_alpha_to_the_true_one_on_a_green_screen():
    rgb, true = mixed_edge(GREEN)
    rough = to_levels(cv2.blur((true > 0.5).astype(np.float32), (5, 5)))

    keyed = key_alpha(rgb, rough)

    band = (true > 0.02) & (true < 0.98)
    before = np.abs(rough / 255.0 - true)[band].mean()
    after = np.abs(keyed / 255.0 - true)[band].mean()
    assert after < 0.5 * before


def test_a_key_leaves_a_busy_background_alone():
    rgb, true = mixed_edge(GREEN)
    rgb[true == 0] = np.random.default_rng(1).integers(0, 255, ((true == 0).sum(), 3))
    rough = to_levels(true)

    assert np.array_equal(key_alpha(rgb, rough), rough)


def test_spill_is_removed_whatever_its_colour_and_the_inside_stays():
    for background in (GREEN, (40, 60, 220)):
        rgb, alpha = bottle(background=background)
        shone = cv2.erode((alpha > 0).astype(np.uint8), np.ones((5, 5))) == 0
        tinted = rgb.copy()
        edge = shone & (alpha > 0)
        tinted[edge] = (0.75 * rgb[edge] + 0.25 * np.float32(background)).astype(np.uint8)

        clean = despill(tinted, to_levels(alpha))

        channel = int(np.argmax(background))
        assert clean[edge][:, channel].mean() < tinted[edge][:, channel].mean() - 5
        inside = cv2.erode((alpha > 0).astype(np.uint8), np.ones((31, 31))) > 0
        assert np.array_equal(clean[inside], tinted[inside])


def test_grey_backgrounds_spill_nothing():
    rgb, alpha = bottle(background=(128, 128, 128))

    assert np.array_equal(despill(rgb, to_levels(alpha)), rgb)


def test_a_bright_background_wraps_round_the_edge_and_not_the_middle():
    _, alpha = bottle(width=480, height=640)
    alpha = cv2.resize(alpha, (480, 640))
    dark = np.full((640, 480, 3), 30, np.uint8)

    lit = light_wrap(dark, to_levels(alpha), np.full_like(dark, 240), 0.8)

    distance = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    assert lit[(distance > 0) & (distance < 4)].mean() > 40
    assert np.array_equal(lit[distance > 50], dark[distance > 50])
    assert np.array_equal(light_wrap(dark, to_levels(alpha), np.full_like(dark, 240), 0), dark)


@pytest.mark.parametrize("sigma", [3.0, 8.0])
def test_grain_is_measured_and_matched(sigma):
    noise = np.random.default_rng(2).normal(0, sigma, (200, 200, 1))
    noisy = np.clip(128 + noise, 0, 255).astype(np.uint8).repeat(3, axis=2)
    everything = np.full((200, 200), 255, np.uint8)

    measured = grain_of(noisy, everything)
    grained = add_grain(np.full((200, 200, 3), 200, np.uint8), measured)

    assert measured == pytest.approx(sigma, rel=0.15)
    assert grain_of(grained, everything) == pytest.approx(sigma, rel=0.2)
    assert np.array_equal(grained, add_grain(np.full((200, 200, 3), 200, np.uint8), measured))


def test_a_hole_that_shows_the_background_is_opened():
    rgb, alpha = ring()

    opened = with_holes(to_levels(alpha), rgb, Holes.CUT)

    assert opened[100, 100] == 0
    assert opened[100, 40] == 255


def tower():
    """Return a photo of a launch pad at dusk, and an alpha in which the gaps of a lattice tower are wrongly opaque."""
    rgb = data.rocket()
    alpha = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(alpha, [np.array([[54, 0], [88, 0], [76, 426], [0, 426], [0, 400]])], 255)
    return rgb, alpha


def test_the_sky_between_the_bars_of_a_real_tower_is_opened_and_its_steel_is_kept():
    rgb, alpha = tower()
    red, blue = rgb[..., 0].astype(int), rgb[..., 2].astype(int)
    inner = cv2.erode(alpha, np.ones((9, 9), np.uint8)) > 0
    inner[280:] = False  # clouds and lamps
    is_sky, is_steel = inner & (blue > red + 30), inner & (blue < red + 5)

    opened = with_holes(alpha, rgb, Holes.CUT)

    assert (opened[is_sky] < 64).mean() > 0.55
    assert (opened[is_steel] > 192).mean() > 0.95
    assert np.array_equal(opened[:, 100:], alpha[:, 100:])


def test_the_rest_of_a_half_found_hole_is_opened_too():
    rgb, alpha = ring()
    levels = to_levels(alpha)
    hole = (rgb == rgb[100, 100]).all(axis=2) & (alpha > 0)
    levels[:100][hole[:100]] = 0  # the model found the upper half
    levels[100:110][hole[100:110]] = 90  # and was undecided below it

    opened = with_holes(levels, rgb, Holes.CUT)

    assert opened[105, 100] == 0
    assert opened[125, 100] == 0
    assert opened[100, 40] == 255


def test_a_part_in_the_backgrounds_colour_at_the_outline_is_kept():
    rgb, alpha = bottle()
    rgb[200:280, 90:110] = rgb[0, 0]

    assert np.array_equal(with_holes(to_levels(alpha), rgb, Holes.CUT), to_levels(alpha))


def test_no_hole_is_opened_before_a_background_of_many_colours():
    rgb, alpha = ring()
    rgb = rgb.copy()
    rgb[alpha == 0] = np.random.default_rng(5).integers(0, 255, ((alpha == 0).sum(), 3))

    assert np.array_equal(with_holes(to_levels(alpha), rgb, Holes.CUT), to_levels(alpha))


def test_an_enclosed_hole_is_filled_and_the_outside_is_not():
    rgb, alpha = ring()
    cv2.circle(alpha, (100, 100), 40, 0.0, -1)

    filled = with_holes(to_levels(alpha), rgb, Holes.KEEP)

    assert filled[100, 100] == 255
    assert filled[5, 5] == 0


def test_by_default_holes_are_the_models():
    rgb, alpha = ring()

    assert np.array_equal(with_holes(to_levels(alpha), rgb, Holes.MODEL), to_levels(alpha))
