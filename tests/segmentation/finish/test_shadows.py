"""Tests of shadows: their direction, their strength, and the same pixels in each run."""

import numpy as np
import pytest

from segmentation.finish.recipe import Shadow
from segmentation.finish.shadows import reflection, shadow_opacity
from segmentation.postprocess import to_levels
from tests.segmentation.finish.drawn import bottle

TYPES = ("contact", "drop", "cast")


def placed():
    canvas = np.zeros((500, 500), np.uint8)
    canvas[100:420, 130:370] = to_levels(bottle()[1])
    return canvas  # the bottle's box: x 220..279, y 180..379


@pytest.mark.parametrize("kind", TYPES)
def test_a_shadow_is_the_same_twice_and_never_stronger_than_asked(kind):
    shadow = Shadow(type=kind, strength=0.4)

    first, second = shadow_opacity(placed(), shadow), shadow_opacity(placed(), shadow)

    assert np.array_equal(first, second)
    assert 0.2 * 255 < first.max() <= 0.4 * 255 + 1


@pytest.mark.parametrize("kind", TYPES)
def test_nothing_throws_no_shadow(kind):
    assert not shadow_opacity(np.zeros((80, 60), np.uint8), Shadow(type=kind)).any()


def test_a_contact_shadow_lies_at_the_foot():
    drawn = shadow_opacity(placed(), Shadow(type="contact")).astype(float)

    rows = drawn.sum(axis=1)

    assert abs(np.average(np.arange(500), weights=rows) - 380) < 12
    assert drawn[:300].sum() == 0


def test_a_drop_shadow_falls_away_from_the_light():
    drawn = shadow_opacity(placed(), Shadow(type="drop", direction=315, distance=0.2)).astype(float)

    x = np.average(np.arange(500), weights=drawn.sum(axis=0))
    y = np.average(np.arange(500), weights=drawn.sum(axis=1))

    assert x > 249.5 + 15
    assert y > 279.5 + 15


@pytest.mark.parametrize(("direction", "is_right"), [(215, True), (145, False)])
def test_a_cast_shadow_lies_on_the_ground_on_the_far_side_of_the_light(direction, is_right):
    drawn = shadow_opacity(placed(), Shadow(type="cast", direction=direction)).astype(float)

    x = np.average(np.arange(500), weights=drawn.sum(axis=0))

    assert bool(x > 249.5) is is_right
    assert drawn[390:].sum() < 0.1 * drawn.sum()


def test_low_light_throws_longer_shadows():
    def reach(elevation):
        drawn = shadow_opacity(placed(), Shadow(type="cast", elevation=elevation))
        return int(np.flatnonzero(drawn.max(axis=0) > 8).max())

    assert reach(25) > reach(60)


def test_a_reflection_mirrors_the_foot_and_fades():
    canvas = placed()
    rgb = np.zeros((500, 500, 3), np.uint8)
    rgb[canvas > 0] = (200, 30, 40)

    mirrored, opacity = reflection(rgb, canvas, Shadow(type="reflection", strength=0.5, softness=0))

    assert opacity[381, 250] > opacity[420, 250] > 0
    assert not opacity[:380].any()
    assert tuple(mirrored[385, 250]) == (200, 30, 40)


def test_no_contact_shadow_lies_below_a_strap_that_hangs_in_the_air():
    bag = np.zeros((500, 500), np.uint8)
    bag[100:400, 150:300] = 255
    bag[300:310, 300:360] = 255  # the strap, 90 pixels above the ground

    drawn = shadow_opacity(bag, Shadow(type="contact", softness=0.1))

    assert drawn[380:420, 160:290].max() > 60
    assert drawn[:, 350:370].max() < 12
