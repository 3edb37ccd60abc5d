import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from segmentation.errors import BoxInvalid, ImageError, ImageUnreadable
from segmentation.image import Limits
from segmentation.options import Box, CutoutOptions, Format, Method, Output, Subject
from segmentation.pipeline import NOTHING_SURE, cut_out, read_alpha, render_variant, uncertainty_of
from tests.fakes import EmptyEngine, FakeEngine
from tests.segmentation.pictures import astronaut, disc, encoded
from tests.segmentation.test_options import cutout_options
from tests.segmentation.test_pipeline import _plain_names, opened  # noqa: F401  the fixture holds here too

LIMITS = Limits()
PHOTO = encoded(astronaut(), "JPEG", quality=95)


def test_a_crop_is_the_subject_and_its_margin():
    options = CutoutOptions(crop=True, crop_margin=0.1, outputs=("cutout", "mask"))
    result = cut_out(PHOTO, options, FakeEngine(), LIMITS)
    box = result.foreground
    side = max(box.right - box.left, box.bottom - box.top)
    expected = (box.right - box.left + 2 * round(side * 0.1), box.bottom - box.top + 2 * round(side * 0.1))
    assert all((rendered.width, rendered.height) == expected for rendered in result.outputs)
    assert (result.alpha.width, result.alpha.height) == (512, 512)


def test_a_photo_in_which_nothing_is_found_still_gives_every_file():
    result = cut_out(PHOTO, CutoutOptions(crop=True, outputs=tuple(Output)), EmptyEngine(), LIMITS)
    assert not opened(result.outputs[0].data).any()
    assert result.outputs[0].width == 512
    assert result.foreground is None


def test_decontamination_changes_colours_and_never_alpha():
    results = [cut_out(PHOTO, CutoutOptions(decontaminate=on), FakeEngine(), LIMITS) for on in (True, False)]
    clean, raw = (opened(result.outputs[0].data) for result in results)
    sure = read_alpha(results[0].alpha.data) > 0.99
    assert np.array_equal(clean[..., 3], raw[..., 3])
    assert not np.array_equal(clean[..., :3], raw[..., :3])
    assert np.array_equal(clean[sure], raw[sure])


def test_without_refinement_the_alpha_is_the_engines_enlarged():
    engine = FakeEngine()
    alpha = read_alpha(cut_out(PHOTO, CutoutOptions(refine=False), engine, LIMITS).alpha.data)
    expected = cv2.resize(engine.auto(astronaut()).alpha, (512, 512), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(alpha, expected, atol=1 / 65535)


def test_every_stage_reports_its_time():
    timings_ms = cut_out(PHOTO, CutoutOptions(), FakeEngine(), LIMITS).timings_ms
    assert list(timings_ms) == ["decode", "model", "post", "encode"]
    assert all(value >= 0 for value in timings_ms.values())


def test_uncertainty_grows_from_a_crisp_edge_to_a_guess():
    crisp, soft, guess = disc(400, 120, 1), disc(400, 120, 80), np.full((400, 400), 0.5, np.float32)
    assert 0 < uncertainty_of(crisp) < 0.15 < 0.3 < uncertainty_of(soft) < uncertainty_of(guess) == 1


def test_a_picture_in_which_nothing_was_found_is_to_be_reviewed():
    nothing, faint = np.zeros((90, 160), np.float32), disc(400, 120, 1) * 0.3
    assert uncertainty_of(nothing) == NOTHING_SURE
    assert uncertainty_of(disc(400, 120, 1)) < uncertainty_of(faint) < NOTHING_SURE


def test_uncertainty_means_the_same_for_a_small_picture_and_a_large_one():
    assert uncertainty_of(disc(320, 96, 12)) == pytest.approx(uncertainty_of(disc(1600, 480, 60)), abs=0.02)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cutout_options())
def test_a_variant_with_the_same_options_is_the_same_file(options):
    data = encoded(astronaut()[100:228, 150:246], "PNG")
    if options.subject is Subject.STAMP or options.method is Method.INSTANCES:
        options = CutoutOptions.from_json(options.to_json() | {"subject": "auto", "method": "auto", "boxes": []})
    try:
        first = cut_out(data, options, FakeEngine((32, 32)), LIMITS)
    except BoxInvalid:
        return
    again = render_variant(data, first.alpha.data, options, LIMITS)
    assert again.outputs == first.outputs
    assert (again.alpha, again.thumbnail, again.foreground) == (first.alpha, first.thumbnail, first.foreground)
    assert (again.subject, again.uncertainty) == (first.subject, first.uncertainty)


def test_a_variant_asks_no_model_and_follows_its_own_options():
    first = cut_out(PHOTO, CutoutOptions(), FakeEngine(), LIMITS)
    options = CutoutOptions(format=Format.JPEG, background="#00ff00", crop=True)
    variant = render_variant(PHOTO, first.alpha.data, options, LIMITS)
    assert variant.outputs[0].extension == ".jpg"
    assert variant.outputs[0].width == first.foreground.right - first.foreground.left
    assert variant.timings_ms["model"] == 0


def test_an_alpha_of_another_picture_is_refused():
    first = cut_out(PHOTO, CutoutOptions(), FakeEngine(), LIMITS)
    with pytest.raises(ImageUnreadable, match="another size"):
        render_variant(encoded(astronaut()[:100]), first.alpha.data, CutoutOptions(), LIMITS)


def test_an_unreadable_file_is_refused_before_the_model_runs():
    engine = FakeEngine()
    with pytest.raises(ImageError):
        cut_out(PHOTO[:2000], CutoutOptions(), engine, LIMITS)
    assert engine.calls == []


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2), (3, 5)])
@pytest.mark.parametrize("method", ["auto", "instances"])
def test_the_smallest_pictures_pass_through(size, method):
    data = encoded(np.full((*size, 3), 90, np.uint8))
    result = cut_out(data, CutoutOptions(method=method, crop=True, outputs=tuple(Output)), FakeEngine(), LIMITS)
    assert (result.height, result.width) == size


def test_ink_is_lifted_with_colours_of_its_own_and_again_for_a_variant():
    page = np.full((240, 240, 3), 244, np.uint8)
    cv2.circle(page, (120, 120), 70, (200, 30, 40), 9)
    data = encoded(page)
    result = cut_out(data, CutoutOptions(subject="stamp"), FakeEngine(), LIMITS)
    pixels = opened(result.outputs[0].data)
    assert result.subject is Subject.STAMP
    assert pixels[120, 50, 3] > 200
    assert pixels[120, 120, 3] == 0
    assert pixels[120, 50, 0] > 2 * pixels[120, 50, 1]
    assert render_variant(data, result.alpha.data, CutoutOptions(), LIMITS).outputs == result.outputs


def test_ink_is_lifted_in_its_box_alone():
    page = np.full((240, 480, 3), 244, np.uint8)
    cv2.circle(page, (120, 120), 70, (200, 30, 40), 9)
    cv2.circle(page, (360, 120), 70, (200, 30, 40), 9)
    options = CutoutOptions(subject="stamp", method="boxes", boxes=(Box(10, 10, 230, 230),))
    alpha = read_alpha(cut_out(encoded(page), options, FakeEngine(), LIMITS).alpha.data)
    assert alpha[120, 50] > 0.8
    assert not alpha[:, 260:].any()


def test_the_picture_modules_of_the_web_process_bring_no_model_runtime():
    code = "import sys, segmentation.pipeline; print({'torch', 'openvino', 'django'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
