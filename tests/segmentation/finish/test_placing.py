"""Tests of the size and position of the subject on the canvas, and of its margins."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from segmentation.finish.placing import head_of, place
from segmentation.finish.recipe import Canvas, Placement
from segmentation.postprocess import foreground_box, to_levels
from tests.segmentation.finish.drawn import bottle, portrait

SAMPLES = Path(__file__).resolve().parents[3] / "static" / "samples"
BY_HAND = json.loads(Path(__file__).with_name("by_hand.json").read_text(encoding="utf-8"))


def levels():
    return to_levels(bottle()[1])


def test_the_box_takes_its_share_of_the_longer_side():
    placed = place(levels(), Canvas(width_px=1000, height_px=1000), Placement(fill=0.85, max_enlargement=16))

    left, top, right, bottom = placed.on_canvas(placed.subject)

    assert bottom - top == pytest.approx(850, abs=1)
    assert (left + right) / 2 == pytest.approx(500, abs=1)
    assert (top + bottom) / 2 == pytest.approx(500, abs=1)


def test_a_faint_shadow_takes_no_room():
    alpha = np.zeros((400, 400), np.uint8)
    alpha[100:300, 150:250] = 255
    alpha[300:340, 150:300] = 60

    placed = place(alpha, Canvas(width_px=1000, height_px=1000), Placement(fill=0.85, max_enlargement=16))

    assert 200 * placed.scale == pytest.approx(850, abs=1)
    assert placed.top + 200 * placed.scale == pytest.approx(500, abs=1)


def test_the_area_takes_its_share_of_the_canvas():
    placed = place(
        levels(), Canvas(width_px=1000, height_px=1000), Placement(fill=0.2, fill_by="area", max_enlargement=16)
    )

    assert 60 * 200 * placed.scale**2 == pytest.approx(0.2 * 1000 * 1000, rel=0.02)


def test_a_subject_on_the_ground_stands_on_its_line():
    placed = place(levels(), Canvas(width_px=1000, height_px=1000), Placement(fill=0.5, align="ground", ground=0.9))

    assert placed.on_canvas(placed.subject)[3] == pytest.approx(900, abs=1)


def test_the_optical_centre_lies_above_the_middle():
    placed = place(levels(), Canvas(width_px=1000, height_px=1000), Placement(fill=0.5, align="optical"))

    _, top, _, bottom = placed.on_canvas(placed.subject)

    assert (top + bottom) / 2 == pytest.approx(470, abs=1)


def test_a_large_subject_keeps_most_of_its_upper_margin():
    placed = place(levels(), Canvas(width_px=1000, height_px=1000), Placement(fill=0.88, align="optical"))

    _, top, _, bottom = placed.on_canvas(placed.subject)

    assert top < 1000 - bottom
    assert top >= 0.35 * (1000 - (bottom - top)) - 1


def test_margins_win_over_the_share():
    placed = place(levels(), Canvas(width_px=1000, height_px=1000), Placement(fill=1.0, margin=0.1))

    _, top, _, bottom = placed.on_canvas(placed.subject)

    assert (top, bottom) == (pytest.approx(100, abs=1), pytest.approx(900, abs=1))


def test_a_small_subject_is_enlarged_only_so_far_and_that_is_noted():
    placed = place(levels(), Canvas(width_px=4000, height_px=4000), Placement(fill=0.9, max_enlargement=4))

    assert placed.scale == 4
    assert "max_enlargement is reached" in placed.notes[0]


def test_an_aspect_ratio_gives_the_smallest_canvas_that_holds_the_subject():
    placed = place(levels(), Canvas(aspect="1:1", min_side_px=100), Placement(fill=0.8))

    assert (placed.width, placed.height) == (250, 250)
    assert placed.scale == pytest.approx(1.0)


def test_without_a_canvas_the_picture_keeps_its_frame():
    placed = place(levels(), Canvas(), Placement())

    assert (placed.width, placed.height, placed.scale, placed.left, placed.top) == (240, 320, 1.0, 0.0, 0.0)


def test_an_empty_alpha_places_the_whole_picture():
    placed = place(np.zeros((300, 200), np.uint8), Canvas(width_px=400, height_px=400), Placement(fill=1.0))

    assert placed.subject is None
    assert placed.on_canvas(foreground_box(np.full((300, 200), 255, np.uint8)))[3] == pytest.approx(400, abs=1)


@pytest.mark.parametrize("case", BY_HAND["placements"])
@pytest.mark.parametrize("placement", [{"fill": 0.5}, {}], ids=["filled", "framed"])
def test_by_hand_the_subject_is_zoomed_about_the_middle_and_then_moved(case, placement):
    canvas, hand = Canvas(width_px=1000, height_px=500), {"zoom": case["zoom"], "shift": case["shift"]}
    before = place(levels(), canvas, Placement(**placement))
    after = place(levels(), canvas, Placement(**placement, **hand))

    def share(placed, point):
        """Return the distances of a picture's point from the canvas's middle, as fractions of the canvas's sides."""
        return [
            (offset + at * placed.scale) / side - 0.5
            for at, offset, side in zip(point, (placed.left, placed.top), (1000, 500), strict=True)
        ]

    corner = share(before, (0, 0))
    assert share(after, (0, 0)) == pytest.approx(
        [at * case["zoom"] + shift for at, shift in zip(corner, case["shift"], strict=True)]
    )
    # The point of the source at `before` moves to `after`, as in the editor's script.
    source = [
        ((at + 0.5) * side - offset) / before.scale
        for at, side, offset in zip(case["before"], (1000, 500), (before.left, before.top), strict=True)
    ]
    assert share(after, source) == pytest.approx(case["after"])


def test_the_picture_in_its_own_frame_is_moved_too():
    placed = place(levels(), Canvas(), Placement(zoom=0.5, shift=(0.25, 0)))

    assert (placed.width, placed.height, placed.scale) == (240, 320, 0.5)
    assert (placed.left, placed.top) == (120, 80)


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_crown_and_chin_are_found_on_an_outline_with_a_neck(scale):
    alpha = portrait(scale)

    crown, chin, middle = head_of(alpha)

    assert crown == pytest.approx(20 * scale, abs=3 * scale)
    assert chin == pytest.approx(108 * scale, abs=8 * scale)
    assert middle == pytest.approx(130 * scale, abs=3 * scale)


def test_a_collar_that_hides_the_jaw_does_not_raise_the_chin():
    """The chin must be found in row 176, although the suit begins beside the mouth. The row was measured by eye."""
    with Image.open(SAMPLES / "portrait-after.webp") as cutout:
        alpha = np.asarray(cutout.getchannel("A"))

    crown, chin, middle = head_of(alpha)

    assert crown == pytest.approx(16, abs=2)
    assert chin == pytest.approx(176, abs=5)
    assert middle == pytest.approx(225, abs=8)


def test_ears_do_not_pass_for_shoulders():
    alpha = portrait()
    alpha[:100] = 0
    for middle, axes in (((130, 42), (40, 22)), ((130, 70), (34, 38)), ((130, 82), (40, 8))):  # hair, face, ears
        cv2.ellipse(alpha, middle, axes, 0, 0, 360, 255, -1)

    _, chin, _ = head_of(alpha)

    assert chin == pytest.approx(108, abs=10)


def test_an_object_that_is_higher_beside_the_person_is_not_the_head():
    alpha = portrait()
    beside = alpha.copy()
    cv2.circle(beside, (245, 8), 7, 255, -1)

    assert head_of(beside) == head_of(alpha)


def test_a_head_is_placed_at_its_heights():
    alpha = portrait()

    placed = place(alpha, Canvas(width_px=413, height_px=531), Placement(align="head", max_enlargement=16))

    crown, chin, _ = head_of(alpha)
    assert placed.top + crown * placed.scale == pytest.approx(0.1 * 531, abs=1)
    assert (chin - crown) * placed.scale == pytest.approx(0.7 * 531, abs=1)


def test_a_long_haired_outline_without_a_neck_still_gives_a_head():
    alpha = np.zeros((300, 260), np.uint8)
    cv2.ellipse(alpha, (130, 300), (110, 280), 0, 180, 360, 255, -1)

    crown, chin, _ = head_of(alpha)

    assert 20 <= crown < chin < 200
