"""Tests of the image files that a recipe makes: size, colours, profile, resolution, layers and rules."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from psd_tools import PSDImage
from psd_tools.constants import Resource

from segmentation.errors import InvalidParameter
from segmentation.finish.finish import compose, finish
from segmentation.finish.recipe import Recipe
from tests.segmentation.finish.drawn import bottle

WHITE_SQUARE = {
    "title": "White square",
    "canvas": {"width_px": 400, "height_px": 400},
    "placement": {"fill": 0.8},
    "background": {"type": "color", "color": "#ffffff"},
    "outputs": [{"format": "png"}],
}


BY_HAND = json.loads(Path(__file__).with_name("by_hand.json").read_text(encoding="utf-8"))


def finished(**changes):
    rgb, alpha = bottle()
    return finish(rgb, alpha, Recipe.read(WHITE_SQUARE | changes))


def pixels_of(written):
    return np.asarray(Image.open(io.BytesIO(written.data)))


def test_the_canvas_has_its_size_its_background_and_the_subject():
    pixels = pixels_of(finished().files[0])

    assert pixels.shape == (400, 400, 3)
    assert tuple(pixels[5, 5]) == (255, 255, 255)
    assert tuple(pixels[200, 200]) == (200, 30, 40)


def test_several_files_come_from_one_recipe_with_profile_and_resolution():
    result = finished(outputs=[{"format": "png", "dpi": 300}, {"format": "jpeg", "dpi": 300}, {"format": "webp"}])

    png, jpeg, webp = (Image.open(io.BytesIO(file.data)) for file in result.files)

    assert [round(picture.info["dpi"][0]) for picture in (png, jpeg)] == [300, 300]
    assert all("icc_profile" in picture.info for picture in (png, jpeg, webp))
    assert [file.extension for file in result.files] == ["png", "jpg", "webp"]


def test_the_best_quality_that_fits_is_searched():
    noisy = {"type": "gradient", "start": "#000", "end": "#fff"}
    free = finished(background=noisy, outputs=[{"format": "jpeg", "quality": 95}]).files[0]
    limit = int(len(free.data) * 0.6)

    bound = finished(background=noisy, outputs=[{"format": "jpeg", "quality": 95, "max_bytes": limit}]).files[0]

    assert len(bound.data) <= limit
    assert 20 <= bound.quality < 95


def test_the_quality_is_raised_for_a_file_that_is_too_small():
    noisy = {"type": "gradient", "start": "#000", "end": "#fff"}
    least, most = (
        len(finished(background=noisy, outputs=[{"format": "jpeg", "quality": quality}]).files[0].data)
        for quality in (95, 97)
    )
    wish = {"format": "jpeg", "quality": 40, "min_bytes": least}

    enough = finished(background=noisy, outputs=[wish]).files[0]
    within = finished(background=noisy, outputs=[wish | {"max_bytes": most}]).files[0]

    assert least <= len(enough.data)
    assert enough.quality <= 95
    assert least <= len(within.data) <= most


def test_a_size_that_no_quality_fits_is_refused_by_name():
    with pytest.raises(InvalidParameter) as refused:
        finished(
            canvas={"width_px": 2000, "height_px": 2000},
            background={"type": "gradient", "start": "#f00", "end": "#00f"},
            outputs=[{"format": "jpeg", "max_bytes": 1024}],
        )

    assert refused.value.field == "outputs"


def test_a_transparent_picture_keeps_its_shadow_under_it():
    result = finished(background={"type": "transparent"}, shadow={"type": "drop", "distance": 0.1})

    pixels = pixels_of(result.files[0])

    assert pixels.shape[2] == 4
    assert pixels[5, 5, 3] == 0
    assert tuple(pixels[200, 200]) == (200, 30, 40, 255)
    shadow = pixels[..., 3][(pixels[..., :3].max(axis=2) < 5)]
    assert 0 < shadow.max() < 255


def test_the_shadow_alone_is_a_file_of_its_own():
    result = finished(shadow={"type": "contact"}, outputs=[{"format": "png", "shadow_layer": True}])

    pixels = pixels_of(result.files[0])

    assert pixels.shape[2] == 4
    assert not pixels[..., :3].any()
    assert 0 < pixels[..., 3].max() < 255


def test_a_photoshop_file_has_its_layers():
    result = finished(shadow={"type": "contact"}, outputs=[{"format": "psd"}])

    document = PSDImage.open(io.BytesIO(result.files[0].data))

    assert [layer.name for layer in document] == ["Background", "Shadow", "Subject"]
    assert document.size == (400, 400)
    subject = list(document)[-1]
    assert subject.bbox[3] - subject.bbox[1] == pytest.approx(320, abs=6)


def test_a_photoshop_file_and_webp_have_profile_and_resolution():
    outputs = [
        {"format": "psd", "dpi": 300},
        {"format": "webp", "dpi": 300},
        {"format": "psd", "color_profile": "none"},
    ]

    psd, webp, plain = finished(outputs=outputs).files

    resources = PSDImage.open(io.BytesIO(psd.data)).image_resources
    resolution = resources.get_data(Resource.RESOLUTION_INFO)
    assert (resolution.horizontal / 65536, resolution.vertical / 65536) == (300, 300)
    assert resources.get_data(Resource.ICC_PROFILE)[36:40] == b"acsp"
    exif = Image.open(io.BytesIO(webp.data)).getexif()
    assert [exif[tag] for tag in (ExifTags.Base.XResolution, ExifTags.Base.ResolutionUnit)] == [300, 2]
    assert Resource.ICC_PROFILE not in PSDImage.open(io.BytesIO(plain.data)).image_resources


def test_a_background_picture_covers_the_canvas_round_its_focus():
    rgb, alpha = bottle()
    halves = np.zeros((100, 300, 3), np.uint8)
    halves[:, :150] = (255, 0, 0)
    recipe = WHITE_SQUARE | {"background": {"type": "picture", "picture": "wall", "focus": [0.0, 0.5]}}

    left = compose(rgb, alpha, Recipe.read(recipe), background_picture=halves).pixels
    with pytest.raises(InvalidParameter):
        compose(rgb, alpha, Recipe.read(recipe))

    assert tuple(left[5, 5]) == (255, 0, 0)
    assert tuple(left[5, 390]) == (255, 0, 0)


@pytest.mark.parametrize("case", BY_HAND["pictures"])
def test_a_background_picture_lies_where_the_editor_shows_it(case):
    rgb, alpha = bottle()
    (picture_width, picture_height), (width, height) = case["picture"], case["canvas"]
    picture = np.zeros((picture_height, picture_width, 3), np.uint8)
    picture[:, :, 0] = np.linspace(0, 255, picture_width)[None, :]
    picture[:, :, 1] = np.linspace(0, 255, picture_height)[:, None]
    background = {"type": "picture", "picture": "wall", "focus": case["focus"], "zoom": case["zoom"]}
    recipe = Recipe.read({"title": "t", "canvas": {"width_px": width, "height_px": height}, "background": background})

    pixels = compose(rgb, np.zeros_like(alpha), recipe, background_picture=picture).pixels

    left, top, across, down = case["frame"]
    for x, y in ((0.1, 0.1), (0.5, 0.5), (0.9, 0.7)):
        shown = pixels[round(y * height), round(x * width)]
        assert shown[0] == pytest.approx(255 * (x - left) / across, abs=4)
        assert shown[1] == pytest.approx(255 * (y - top) / down, abs=4)


def test_a_small_part_of_a_photo_is_enlarged_without_scaling_the_rest():
    rgb, alpha = bottle()
    placement = {"zoom": 8, "shift": [0.5, 0.25]}
    recipe = WHITE_SQUARE | {"canvas": {"width_px": 60, "height_px": 60}, "placement": placement}

    near = compose(rgb, alpha, Recipe.read(recipe)).pixels
    larger = compose(rgb, alpha, Recipe.read(recipe | {"canvas": {"width_px": 960, "height_px": 960}})).pixels

    reduced = np.asarray(Image.fromarray(larger).resize((60, 60), Image.Resampling.BOX)).astype(int)
    assert np.abs(near.astype(int) - reduced).mean() < 4
    assert 0.05 < (near[:, :, 1] < 128).mean() < 0.95  # an edge of the subject is in view


def test_a_subject_moved_off_the_canvas_leaves_the_blurred_original_where_it_was():
    rgb, alpha = bottle(background=(40, 160, 60))
    rgb[:40] = (200, 200, 0)
    framed = WHITE_SQUARE | {"canvas": {}, "placement": {}, "background": {"type": "blur"}}

    before = compose(rgb, alpha, Recipe.read(framed)).layers.background
    moved = compose(rgb, alpha, Recipe.read(framed | {"placement": {"zoom": 0.5, "shift": [2, 0]}}))

    assert np.array_equal(moved.layers.background, before)
    assert np.array_equal(moved.pixels, before)


def test_a_blurred_original_has_no_glow_of_its_subject():
    rgb, alpha = bottle(background=(40, 160, 60))

    pixels = compose(
        rgb, alpha, Recipe.read(WHITE_SQUARE | {"canvas": {}, "placement": {}, "background": {"type": "blur"}})
    ).pixels

    beside = pixels[150:200, 60:85].reshape(-1, 3).mean(axis=0)
    assert np.abs(beside - (40, 160, 60)).max() < 12


def test_an_outline_surrounds_the_subject():
    pixels = pixels_of(finished(background={"type": "color", "color": "#888"}, outline={"width": 0.02}).files[0])

    middle = pixels[200]
    red = np.flatnonzero((middle == (200, 30, 40)).all(axis=1))
    assert tuple(middle[red[0] - 5]) == (255, 255, 255)
    assert tuple(middle[red[0] - 20]) == (136, 136, 136)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"placement": {"fill": 0.5}}, "min_fill"),
        ({"canvas": {"width_px": 200, "height_px": 200}}, "min_side_px"),
        ({"canvas": {"width_px": 400, "height_px": 300}}, "aspect"),
        ({"background": {"type": "color", "color": "#fefefe"}}, "background"),
        ({"background": {"type": "transparent"}}, "allows_transparency"),
        ({"shadow": {"type": "contact"}}, "allows_shadow"),
        ({"outputs": [{"format": "webp"}]}, "formats"),
    ],
)
def test_each_broken_rule_is_named(changes, rule):
    rules = {
        "min_fill": 0.8,
        "min_side_px": 300,
        "aspect": "1:1",
        "background": "#ffffff",
        "allows_shadow": False,
        "allows_transparency": False,
        "formats": ["png", "jpeg"],
    }

    kept = finished(rules=rules).violations
    broken = finished(rules=rules, **changes).violations

    assert kept == ()
    assert rule in {violation.rule for violation in broken}


@pytest.mark.parametrize(("height", "broken"), [(200, ["min_short_side_px"]), (300, [])])
def test_a_rule_can_be_about_the_shorter_side(height, broken):
    result = finished(canvas={"width_px": 400, "height_px": height}, rules={"min_short_side_px": 300})

    assert [violation.rule for violation in result.violations] == broken
