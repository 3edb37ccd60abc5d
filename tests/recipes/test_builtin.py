"""Tests of the built-in recipes with real photos and the real model: the results follow the rules of the recipes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from django.conf import settings
from django.utils.translation import override
from skimage import data

from jobs.recipes.builtin import builtin_recipes, id_photos
from jobs.recipes.titles import TITLES
from segmentation.encode import read_alpha
from segmentation.engines.registry import load_engine
from segmentation.finish.finish import finish
from segmentation.finish.recipe import Recipe
from segmentation.image import Limits
from segmentation.options import CutoutOptions
from segmentation.pipeline import cut_out
from tests.photos import astronaut, encode

pytestmark = pytest.mark.slow

LONGER_SIDE_PX = 1200  # size of an ordinary photo; the available ones are smaller


def _enlarged(photo: np.ndarray) -> np.ndarray:
    scale = LONGER_SIDE_PX / max(photo.shape[:2])
    return cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


PHOTOS = {
    "astronaut": lambda: _enlarged(data.astronaut()),
    "cat": lambda: _enlarged(data.chelsea()),
    "cup": lambda: _enlarged(data.coffee()),
    "photographer": lambda: _enlarged(np.dstack([data.camera()] * 3)),
}


@pytest.fixture(scope="module")
def alphas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """Return the alphas of the photos by name, (H, W) float32 0..1, computed by the built-in model."""
    engine = load_engine(Path(settings.MATTING_WEIGHTS), runtime="auto", cache_dir=tmp_path_factory.mktemp("cache"))
    return {
        name: read_alpha(cut_out(encode(photo(), "PNG"), CutoutOptions(), engine, Limits()).alpha.data)
        for name, photo in PHOTOS.items()
    }


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("name", [name for name, recipe in builtin_recipes().items() if recipe.rules])
def test_a_real_photo_keeps_every_rule(name: str, photo: str, alphas: dict[str, np.ndarray]) -> None:
    recipe = builtin_recipes()[name]

    result = finish(PHOTOS[photo](), alphas[photo], recipe)

    assert result.violations == ()
    assert recipe.rules.source
    assert recipe.rules.checked_on


def _broken(**changes: object) -> Recipe:
    """Return the recipe of the Amazon main image with these fields changed, so that its result breaks a rule."""
    return Recipe.read(builtin_recipes()["amazon-main"].to_json() | changes)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("min_fill", {"placement": {"fill": 0.5, "align": "center"}}),
        ("min_side_px", {"canvas": {"width_px": 1000, "height_px": 1000}}),
        ("background", {"background": {"type": "color", "color": "#fefefe"}}),
        ("allows_shadow", {"shadow": {"type": "contact"}}),
        ("allows_transparency", {"background": {"type": "transparent"}, "outputs": [{"format": "png"}]}),
        ("formats", {"outputs": [{"format": "webp"}]}),
    ],
)
def test_a_result_of_a_real_photo_that_breaks_a_rule_is_named(
    rule: str, change: dict[str, object], alphas: dict[str, np.ndarray]
) -> None:
    result = finish(PHOTOS["astronaut"](), alphas["astronaut"], _broken(**change))

    assert rule in [violation.rule for violation in result.violations]


@pytest.mark.parametrize(
    ("rule", "limits"),
    [
        ("max_fill", {"max_fill": 0.5}),
        ("max_side_px", {"max_side_px": 1500}),
        ("aspect", {"aspect": "4:3"}),
        ("min_bytes", {"min_bytes": 5_000_000}),
        ("max_bytes", {"max_bytes": 2000}),
    ],
)
def test_limits_of_other_shops_are_checked_as_well(
    rule: str, limits: dict[str, object], alphas: dict[str, np.ndarray]
) -> None:
    result = finish(PHOTOS["astronaut"](), alphas["astronaut"], _broken(rules=limits))

    assert [violation.rule for violation in result.violations] == [rule]


def test_a_small_subject_breaks_the_rule_for_how_much_it_fills() -> None:
    speck = np.zeros((512, 512), np.float32)
    speck[250:262, 250:262] = 1

    result = finish(astronaut(), speck, builtin_recipes()["amazon-main"])

    assert [violation.rule for violation in result.violations] == ["min_fill"]


def test_the_titles_are_in_the_translation_catalogue_and_shown_in_the_readers_language() -> None:
    assert tuple(recipe.title for recipe in builtin_recipes().values()) == TITLES
    with override("de"):
        texts = [photo.text for photo in id_photos()]

    assert "Britischer Pass, 35 × 45 mm" in texts
    assert len(texts) == sum(name.startswith("id-photo-") for name in builtin_recipes())
