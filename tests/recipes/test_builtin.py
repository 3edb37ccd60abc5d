"""The results of the built-in recipes meet their rules, for a real photo and the real model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from jobs.recipes.builtin import builtin_recipes
from segmentation.encode import read_alpha
from segmentation.engines.registry import load_engine
from segmentation.finish.finish import finish
from segmentation.image import Limits
from segmentation.options import CutoutOptions
from segmentation.pipeline import cut_out
from tests.photos import astronaut, encoded


@pytest.fixture(scope="module")
def alpha(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    engine = load_engine(Path(settings.MATTING_WEIGHTS), runtime="auto", cache_dir=tmp_path_factory.mktemp("cache"))
    result = cut_out(encoded("PNG"), CutoutOptions(), engine, Limits())
    return read_alpha(result.alpha.data)


@pytest.mark.parametrize("name", [name for name, recipe in builtin_recipes().items() if recipe.rules])
def test_a_real_photo_keeps_every_rule(name: str, alpha: np.ndarray) -> None:
    recipe = builtin_recipes()[name]

    result = finish(astronaut(), alpha, recipe)

    assert result.violations == ()
    assert recipe.rules.source
    assert recipe.rules.checked_on


def test_a_small_subject_breaks_the_rule_for_how_much_it_fills() -> None:
    speck = np.zeros((512, 512), np.float32)
    speck[250:262, 250:262] = 1

    result = finish(astronaut(), speck, builtin_recipes()["amazon-main"])

    assert [violation.rule for violation in result.violations] == ["min_fill"]
