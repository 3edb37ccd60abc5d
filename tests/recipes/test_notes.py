"""Tests of the notes on finished pictures: users read them in their language, and programs read them in English."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from jobs.recipes.notes import SENTENCES, note_said
from jobs.web.words import sentence_said
from segmentation.finish.finish import finish
from segmentation.finish.recipe import Recipe
from tests.segmentation.finish.drawn import bottle, portrait

SQUARE = {"width_px": 300, "height_px": 300}
WHITE = {"type": "color", "color": "#ffffff"}


def notes_of(**fields: Any) -> list[str]:
    """Finish a picture of a drawn bottle by a recipe with these fields, and return the notes about the result."""
    rgb, alpha = bottle()
    recipe = Recipe.read({"title": "t", "canvas": SQUARE, "background": WHITE, "placement": {"fill": 0.8}} | fields)
    result = finish(rgb, alpha, recipe)
    return [violation.message for violation in result.violations] + list(result.notes)


@pytest.mark.parametrize(
    ("fields", "translated"),
    [
        ({"rules": {"min_fill": 0.9}}, "主体占画面的 80%，至少需要 90%。"),
        ({"rules": {"max_fill": 0.5}}, "主体占画面的 80%，最多允许 50%。"),
        ({"rules": {"min_side_px": 500}}, "长边为 300 像素，至少需要 500 像素。"),
        ({"rules": {"min_short_side_px": 500}}, "短边为 300 像素，至少需要 500 像素。"),
        ({"rules": {"max_side_px": 200}}, "长边为 300 像素，最多允许 200 像素。"),
        ({"rules": {"aspect": "4:3"}}, "图片尺寸为 300 × 300，需要的比例是 4:3。"),
        ({"rules": {"allows_shadow": False}, "shadow": {"type": "contact"}}, "图片带有阴影或倒影，规则不允许。"),
        (
            {"rules": {"allows_transparency": False}, "background": {"type": "transparent"}},
            "图片是透明的，规则要求有背景。",
        ),
        ({"rules": {"background": "#fefefe"}}, "主体四周的背景并非全部为 #fefefe。"),
        ({"rules": {"formats": ["jpeg", "webp"]}}, "文件格式为 png，只允许 jpeg, webp。"),
    ],
)
def test_a_broken_rule_is_said_in_chinese(fields: dict[str, Any], translated: str) -> None:
    (note,) = notes_of(**fields)

    with override("zh-hans"):
        assert note_said(note) == translated
    with override("en"):
        assert note_said(note) == note


@pytest.mark.parametrize("limits", [{"min_bytes": 5_000_000}, {"max_bytes": 20}])
def test_limits_of_the_file_are_translated_with_their_figures(limits: dict[str, int]) -> None:
    (note,) = notes_of(rules=limits)

    with override("de"):
        said = note_said(note)
    assert said != note
    assert str(*limits.values()) in said


@pytest.mark.parametrize("align", ["center", "head"])
def test_a_subject_that_is_too_small_is_said_in_german(align: str) -> None:
    alpha = portrait() / 255.0
    placement = {"fill": 0.8, "align": align, "max_enlargement": 1}
    recipe = Recipe.read({"title": "t", "canvas": {"width_px": 2000, "height_px": 2000}, "placement": placement})
    (note,) = finish(bottle(260, 300)[0], alpha.astype("float32"), recipe).notes

    with override("de"):
        assert note_said(note).startswith("Die Vergrößerung ist begrenzt")


def test_the_note_of_a_job_names_its_recipe() -> None:
    note = "recipe amazon-main: The picture has a shadow or reflection, which is not allowed."

    with override("de"):
        said = sentence_said(note)
    assert said == "Rezept amazon-main: Das Bild hat einen Schatten oder eine Spiegelung; das ist nicht erlaubt."


def test_a_note_without_a_translation_stays_english() -> None:
    with override("zh-hans"):
        assert note_said("Something new happened.") == "Something new happened."


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_has_a_translation(sentence: str) -> None:
    with override("zh-hans"):
        assert note_said(sentence) != sentence
