"""Tests of ONNX networks and their manifests. The networks are small and their results are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from segmentation.engines.manifest import Manifest
from segmentation.engines.onnx_people import PeopleFrom
from segmentation.engines.registry import load_engine
from segmentation.errors import InferenceFailed, WeightsInvalid
from segmentation.options import Box

from .onnx_networks import constant_network, red_network

RED = {"family": "salient", "size": 64, "mean": 0.0, "std": 1.0, "output": "alpha"}


@pytest.fixture
def load(tmp_path):
    """Return a function that writes a network and its manifest, loads both and returns the engine."""

    def build(write, manifest, runtime="auto", **answers):
        weights = write(tmp_path / "public.onnx", **answers)
        (tmp_path / "public.json").write_text(json.dumps(manifest))
        return load_engine(weights, runtime=runtime)

    return build


@pytest.fixture
def half_red():
    """Return a picture of 200 x 100 pixels with a red left half and a black right half."""
    rgb = np.zeros((100, 200, 3), np.uint8)
    rgb[:, :100, 0] = 255
    return rgb


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_the_named_output_becomes_the_alpha_of_the_whole_picture(load, half_red, runtime):
    engine = load(red_network, RED, runtime)
    matte = engine.auto(half_red)
    assert engine.runtime == runtime
    assert matte.alpha.shape == (64, 64)
    assert matte.alpha.dtype == np.float32
    assert matte.alpha[:, :31].min() > 0.98
    assert matte.alpha[:, 33:].max() < 0.02
    assert matte.people is None


def test_mean_and_std_are_applied_as_the_manifest_says(load):
    engine = load(red_network, RED | {"mean": [0.5, 0.0, 0.0], "std": [0.5, 1.0, 1.0]})
    rgb = np.full((64, 64, 3), 204, np.uint8)  # (0.8 - 0.5) / 0.5
    np.testing.assert_allclose(engine.auto(rgb).alpha, 0.6, atol=0.01)


def test_a_dark_picture_divided_by_its_own_maximum_is_as_good_as_a_bright_one(load):
    engine = load(red_network, RED | {"own_maximum": True})
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[:32] = 50
    alpha = engine.auto(rgb).alpha
    assert alpha[:31].min() > 0.98
    assert alpha[33:].max() < 0.02


def test_a_stretched_answer_spans_the_whole_range(load, half_red):
    engine = load(red_network, RED | {"mean": [-1.0, 0.0, 0.0], "std": [10.0, 1.0, 1.0], "stretch": True})
    alpha = engine.auto(half_red).alpha  # 0.1 and 0.2 before stretching
    assert alpha.min() == 0.0
    assert alpha.max() == pytest.approx(1.0, abs=1e-3)


def test_logits_go_through_the_sigmoid(load, half_red):
    engine = load(red_network, RED | {"mean": [0.5, 0.0, 0.0], "std": [0.25, 1.0, 1.0], "activation": "sigmoid"})
    alpha = engine.auto(half_red).alpha  # logits 2 and -2
    assert alpha[10, 10] == pytest.approx(0.881, abs=0.01)
    assert alpha[10, -10] == pytest.approx(0.119, abs=0.01)


def test_a_network_of_people_says_that_all_it_finds_are_people(load, half_red):
    matte = load(red_network, RED | {"people_only": True}).auto(half_red)
    np.testing.assert_array_equal(matte.people, matte.alpha)


def test_blue_first_networks_see_blue_first(load, half_red):
    assert load(red_network, RED | {"channels": "bgr"}).auto(half_red).alpha.max() < 0.02


def test_a_padded_answer_covers_the_picture_alone(load, half_red):
    alpha = load(red_network, RED | {"fit": "pad"}).auto(half_red).alpha
    assert alpha.shape == (32, 64)
    assert alpha[:, :31].min() > 0.98


def test_a_box_shows_the_network_its_surroundings_and_nothing_outside_is_opaque(load, half_red):
    engine = load(red_network, RED)
    left, across = engine.boxes(half_red, [Box(10, 20, 60, 80), Box(80, 20, 120, 80)])
    for matte, box in ((left, (10, 20, 60, 80)), (across, (80, 20, 100, 80))):
        rows, columns = np.nonzero(matte.alpha > 0.5)
        scale_x, scale_y = 200 / matte.alpha.shape[1], 100 / matte.alpha.shape[0]
        found = (
            columns.min() * scale_x,
            rows.min() * scale_y,
            (columns.max() + 1) * scale_x,
            (rows.max() + 1) * scale_y,
        )
        np.testing.assert_allclose(found, box, atol=2.0)


def test_such_a_network_says_that_it_cannot_tell_people_apart(load, half_red):
    with pytest.raises(InferenceFailed, match="tell people apart"):
        load(red_network, RED).instances(half_red)


def test_an_answer_that_is_not_a_number_is_refused_at_the_start(load):
    def write(path):
        return constant_network(path, {"alpha": np.full((1, 1, 64, 64), np.nan, np.float32)})

    with pytest.raises(WeightsInvalid, match="not an alpha"):
        load(write, RED)


def nearly_constant(level):
    """Return a function that writes a network whose alpha is `level` everywhere, except for rounding errors."""
    noise = np.random.default_rng(0).uniform(-1e-7, 1e-7, (1, 1, 64, 64))
    return lambda path: constant_network(path, {"alpha": (level + noise).clip(0, 1).astype(np.float32)})


@pytest.mark.parametrize(
    "options", [{}, {"stretch": True}, {"people_only": True}, {"people_only": True, "stretch": True}]
)
def test_the_same_answer_everywhere_is_refused_at_the_start(load, options):
    with pytest.raises(WeightsInvalid, match=r"same alpha everywhere \(0\.50\)"):
        load(nearly_constant(0.5), RED | options)


def test_only_a_network_of_people_may_find_nothing_in_the_test_picture(load, half_red):
    people = load(nearly_constant(0.0), RED | {"people_only": True, "stretch": True})

    assert people.auto(half_red).alpha.max() < 0.01
    with pytest.raises(WeightsInvalid, match="same alpha everywhere"):
        load(nearly_constant(0.0), RED | {"stretch": True})


def test_an_answer_that_is_no_map_is_refused_at_the_start(load):
    def write(path):
        return constant_network(path, {"alpha": np.zeros((1, 5, 64, 64), np.float32)})

    with pytest.raises(WeightsInvalid, match="shape"):
        load(write, RED)


def test_an_output_that_the_network_lacks_is_named(load):
    with pytest.raises(WeightsInvalid, match="no output 'matte'; it has brightness, alpha"):
        load(red_network, RED | {"output": "matte"})


@pytest.mark.parametrize("runtime", ["auto", "openvino", "onnx"])
def test_a_file_that_is_no_network_is_refused(load, runtime):
    def write(path):
        path.write_bytes(b"not a network at all" * 20)
        return path

    with pytest.raises(WeightsInvalid):
        load(write, RED, runtime)


def test_an_onnx_file_without_manifest_asks_for_one(tmp_path):
    with pytest.raises(WeightsInvalid, match=r"public\.json"):
        load_engine(red_network(tmp_path / "public.onnx"))


PEOPLE = {
    "family": "people", "size": 64, "mean": 0.0, "std": 1.0,
    "boxes": "boxes", "scores": "scores", "labels": "labels", "masks": "masks", "person_label": 1, "min_score": 0.4,
}  # fmt: skip


def three_detections(path):
    """Write a network that detects a weak and a strong person, a dog, and a person with a score below the minimum."""
    boxes = np.array([[0, 0, 16, 32], [32, 0, 64, 64], [20, 20, 60, 60], [0, 0, 64, 64]], np.float32)
    masks = np.zeros((4, 1, 8, 8), np.float32)
    masks[0] = 1.0
    masks[1, 0, 4:] = 1.0  # the lower half of its box
    masks[2:] = 1.0
    answers = {
        "boxes": boxes,
        "scores": np.array([0.5, 0.9, 0.8, 0.1], np.float32),
        "labels": np.array([1, 1, 17, 1], np.int64),
        "masks": masks,
    }
    return constant_network(path, answers)


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_people_come_one_by_one_the_surest_first(load, half_red, runtime):
    people = load(three_detections, PEOPLE | {"mask_frame": "box"}, runtime).instances(half_red)
    assert [round(person.score, 3) for person in people] == [0.9, 0.5]
    assert people[0].box == Box(100, 0, 200, 100)
    assert people[1].box == Box(0, 0, 50, 50)
    assert people[0].alpha.shape == (64, 64)
    assert people[0].alpha[38:, 33:].min() > 0.99
    assert people[0].alpha[:26].max() == 0.0
    assert people[1].alpha[:32, :16].min() > 0.99
    assert people[1].alpha[:, 16:].max() == 0.0


def test_auto_unites_the_people_and_a_box_takes_the_one_who_fills_it(load, half_red):
    engine = load(three_detections, PEOPLE | {"mask_frame": "box"})
    union = engine.auto(half_red)
    assert union.alpha[40:, 40:].min() > 0.99
    assert union.alpha[:26, :15].min() > 0.99
    assert union.alpha[40:, :30].max() == 0.0
    first, nothing = engine.boxes(half_red, [Box(0, 0, 60, 60), Box(60, 60, 90, 90)])
    assert first.alpha[:31, :15].min() > 0.99
    assert first.alpha[:, 20:].max() == 0.0
    assert nothing.alpha.max() == 0.0


def test_scores_in_the_fifth_column_and_whole_picture_masks_are_understood(load, half_red):
    def write(path):
        masks = np.full((1, 1, 64, 64), -8.0, np.float32)
        masks[0, 0, 8:24, 16:32] = 8.0
        return constant_network(
            path, {"boxes": np.array([[[0.375, 0.25, 0.25, 0.25, 0.75]]], np.float32), "masks": masks}
        )

    manifest = PEOPLE | {
        "scores": None, "labels": None, "box_format": "cxcywh", "box_unit": "share", "activation": "sigmoid",
        "fit": "pad", "channels": "bgr", "full_scale": 255.0,
    }  # fmt: skip
    (person,) = load(write, manifest).instances(half_red)
    assert person.score == pytest.approx(0.75)
    assert person.box == Box(50, 25, 100, 75)  # 64 columns and 32 rows of the frame hold 200 x 100
    assert person.alpha.shape == (32, 64)
    assert person.alpha[8:24, 16:32].min() > 0.99
    assert person.alpha[:, :16].max() < 0.01


def test_a_network_without_a_batch_axis_is_fed_without_one(load, half_red):
    def write(path):
        answers = {"boxes": np.array([[0, 0, 64, 64, 0.9]], np.float32), "masks": np.zeros((1, 64, 64), np.float32)}
        answers["masks"][:, 16:] = 1.0
        return constant_network(path, answers, input_shape=(3, "height", "width"))

    manifest = PEOPLE | {"scores": None, "labels": None, "batched": False}
    assert len(load(write, manifest).instances(half_red)) == 1


def test_a_picture_without_people_has_none(load, half_red):
    def write(path):
        answers = {"boxes": np.zeros((0, 5), np.float32), "masks": np.zeros((0, 64, 64), np.float32)}
        return constant_network(path, answers)

    engine = load(write, PEOPLE | {"scores": None, "labels": None}, "onnx")
    assert engine.instances(half_red) == []
    assert engine.auto(half_red).alpha.max() == 0.0


def test_people_of_one_engine_join_the_subjects_of_another(tmp_path, half_red):
    for name, write, manifest in (("red", red_network, RED), ("crowd", three_detections, PEOPLE)):
        write(tmp_path / f"{name}.onnx")
        (tmp_path / f"{name}.json").write_text(json.dumps(manifest | {"mask_frame": "box"}))
    subjects, people = (load_engine(tmp_path / f"{name}.onnx") for name in ("red", "crowd"))
    joined = PeopleFrom(subjects, people)
    assert joined.name == "red with crowd"
    assert joined.auto(half_red).alpha.mean() == pytest.approx(0.5, abs=0.02)
    assert len(joined.instances(half_red)) == 2


def test_answers_that_are_no_boxes_are_refused_at_the_start(load):
    def write(path):
        answers = {"boxes": np.zeros((1, 3), np.float32), "masks": np.zeros((1, 64, 64), np.float32)}
        return constant_network(path, answers)

    with pytest.raises(WeightsInvalid, match="not with boxes and masks"):
        load(write, PEOPLE | {"scores": None, "labels": None})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("family", "magic"), ("size", 8), ("size", "320"), ("mean", [1, 2]), ("std", 0.0), ("output", 1.5),
        ("stretch", "yes"), ("box_mode", "lasso"), ("fit", None),
    ],
)  # fmt: skip
def test_a_manifest_that_is_off_names_its_field(field, value):
    with pytest.raises(WeightsInvalid, match=field) as raised:
        Manifest.from_json(RED | {field: value}, name="off")
    assert raised.value.field == field


def test_a_manifest_keeps_what_it_does_not_know():
    assert Manifest.from_json(RED | {"figures": {"mae": 0.1}}, name="more").extra == {"figures": {"mae": 0.1}}
