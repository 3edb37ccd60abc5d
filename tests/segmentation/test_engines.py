"""Tests of the built-in inference engine: the input of its network, and the use of the network's outputs."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from segmentation.engines.looking import WholeLooker
from segmentation.engines.manifest import Manifest
from segmentation.engines.registry import load_engine
from segmentation.engines.session import GuardedSession
from segmentation.engines.unet import UNetEngine, faded
from segmentation.errors import BoxInvalid, InferenceFailed
from segmentation.options import Box
from tests.segmentation.pictures import half_red

pytestmark = pytest.mark.slow

SIZE = 64


class RecordingSession:
    """A fake session (loaded network): red pixels are the subject and green pixels are people.

    Its output contains no centres of people, so that no single person is found. batches: the recorded inputs.
    """

    runtime = "recording"
    outputs = ("mattes", "people")
    max_batch = 3

    def __init__(self):
        self.batches = []

    def run(self, batch):
        self.batches.append(batch.copy())
        mattes = np.where(batch[:, :2] > 0.5, 12.0, -12.0).astype(np.float32)
        return [mattes, np.full((len(batch), 5, SIZE // 8, SIZE // 8), -12.0, np.float32)]


@pytest.fixture
def session():
    return RecordingSession()


def engine_of(session, **manifest):
    settings = {"name": "recorded", "family": "keyline", "size": SIZE, "box_mode": "prompt", "mean": 0.0, "std": 1.0}
    return UNetEngine(WholeLooker(GuardedSession(session)), Manifest.from_json(settings | manifest), "0123456789ab")


@pytest.fixture
def rgb():
    return half_red()


def test_a_mirrored_engine_averages_what_it_sees_both_ways_round(session, rgb):
    def left_biased(batch):
        mattes = np.full((len(batch), 2, SIZE, SIZE), -4.0, np.float32)
        mattes[..., : SIZE // 4] = 8.0
        return [mattes, np.zeros((len(batch), 5, SIZE // 8, SIZE // 8), np.float32)]

    session.run = left_biased
    matte = engine_of(session, mirrored=True).auto(rgb)
    np.testing.assert_allclose(matte.alpha[0], matte.alpha[0, ::-1])
    np.testing.assert_allclose(matte.alpha[0, 0], 1 / (1 + np.exp(-2)), atol=1e-4)
    np.testing.assert_allclose(matte.people[0, SIZE // 2], 1 / (1 + np.exp(4)), atol=1e-4)


@pytest.mark.parametrize("mode", ["prompt", "crop"])
def test_a_mirrored_engine_sees_each_box_both_ways_round(session, rgb, mode):
    def left_biased(batch):
        mattes = np.full((len(batch), 2, SIZE, SIZE), -4.0, np.float32)
        mattes[..., : SIZE // 2] = 8.0
        return [mattes, np.zeros((len(batch), 5, SIZE // 8, SIZE // 8), np.float32)]

    session.run = left_biased
    first, second = engine_of(session, mirrored=True, box_mode=mode, box_margin=0.0).boxes(
        rgb, [Box(0, 0, 200, 100), Box(0, 0, 200, 50)]
    )

    np.testing.assert_allclose(first.alpha, 1 / (1 + np.exp(-2)), atol=1e-4)
    assert second.alpha[:20].min() > 0.85
    assert second.alpha[-20:].max() == 0


def test_a_half_hearted_subject_fades_and_a_sure_one_stays():
    unsure, sure = np.full((20, 20), -2.0), np.full((20, 20), -2.0)
    unsure[:10] = 1.0
    sure[:10], sure[0, :4] = 1.0, 3.0
    np.testing.assert_allclose(faded(unsure, 3.0), unsure - 4.0)
    np.testing.assert_allclose(faded(sure, 3.0), sure)
    np.testing.assert_allclose(faded(unsure, None), unsure)


def test_auto_gives_subject_and_people_over_the_whole_picture(session, rgb):
    matte = engine_of(session).auto(rgb)
    assert matte.alpha.shape == matte.people.shape == (SIZE, SIZE)
    assert matte.alpha.dtype == matte.people.dtype == np.float32
    assert matte.alpha[:, :31].min() > 0.99
    assert matte.alpha[:, 33:].max() < 0.01
    assert matte.people[:47].max() < 0.01
    assert matte.people[49:, :31].min() > 0.99


def test_auto_shows_a_normalised_picture_and_no_prompt(session, rgb):
    engine_of(session, mean=[0.5, 0.25, 0.0], std=[0.5, 0.25, 1.0]).auto(rgb)
    (shown,) = session.batches[0]
    assert shown.shape == (4, SIZE, SIZE)
    np.testing.assert_allclose(shown[:, 0, 0], [1.0, -1.0, 0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(shown[:, 0, -1], [-1.0, -1.0, 0.0, 0.0], atol=1e-6)


def test_shrinking_averages_so_that_a_thin_line_leaves_a_trace_everywhere(session):
    rgb = np.zeros((640, 640, 3), np.uint8)
    rgb[:, 325] = 255
    engine_of(session).auto(rgb)
    np.testing.assert_allclose(session.batches[0][0, 0, :, 32], 0.1, atol=0.01)


def test_a_box_is_drawn_on_the_prompt_plane(session, rgb):
    engine_of(session).boxes(rgb, [Box(50, 25, 100, 75)])
    plane = session.batches[0][0, 3]
    assert set(np.unique(plane)) == {-1.0, 1.0}
    rows, columns = np.nonzero(plane > 0)
    assert (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1) == (16, 32, 16, 48)


@pytest.mark.parametrize("mode", ["prompt", "crop"])
def test_a_box_keeps_what_is_inside_and_nothing_outside(session, rgb, mode):
    boxes = [Box(20, 20, 80, 60), Box(60, 10, 160, 90)]
    mattes = engine_of(session, box_mode=mode).boxes(rgb, boxes)
    for matte, (left, top, right, bottom) in zip(mattes, [(20, 20, 80, 60), (60, 10, 100, 90)], strict=True):
        height, width = matte.alpha.shape
        full = matte.alpha[(np.arange(100) * height // 100)[:, None], np.arange(200) * width // 200]
        assert full[top + 4 : bottom - 4, left + 4 : right - 4].min() > 0.99
        outside = full.copy()
        outside[max(0, top - 4) : bottom + 4, max(0, left - 4) : right + 4] = 0
        assert outside.max() < 1e-4
    assert mattes[1].people.max() > 0.99


def test_a_cropped_box_shows_its_surroundings_alone(session, rgb):
    engine_of(session, box_mode="crop", box_margin=0.5).boxes(rgb, [Box(80, 30, 120, 70)])  # view: 60..140 x 10..90
    shown = session.batches[0][0]
    assert shown[0, :, :31].min() > 0.99
    assert shown[0, :, 33:].max() < 0.01
    rows, columns = np.nonzero(shown[3] > 0)
    assert (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1) == (16, 48, 16, 48)


def test_a_small_box_keeps_its_detail_on_a_large_picture(session):
    rgb = np.zeros((1000, 2000, 3), np.uint8)
    rgb[500:600, 1000:1100, 0] = 255
    (matte,) = engine_of(session, box_mode="crop", box_margin=0.0).boxes(rgb, [Box(950, 450, 1150, 650)])
    height, width = matte.alpha.shape
    assert (width, height) == (640, 320)
    assert (matte.alpha > 0.5).sum() == pytest.approx(32 * 32, rel=0.15)


def test_many_boxes_are_run_a_few_at_a_time_and_answered_in_order(session, rgb):
    boxes = [Box(left, 10, left + 20, 60) for left in range(0, 140, 20)]
    mattes = engine_of(session).boxes(rgb, boxes)
    assert [len(batch) for batch in session.batches] == [3, 3, 1]
    assert [bool(matte.alpha.max() > 0.5) for matte in mattes] == [True] * 5 + [False] * 2


def test_a_box_off_the_picture_is_refused(session, rgb):
    with pytest.raises(BoxInvalid):
        engine_of(session).boxes(rgb, [Box(300, 10, 320, 60)])


def test_no_boxes_give_no_mattes(session, rgb):
    assert engine_of(session).boxes(rgb, []) == []
    assert session.batches == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (2000, 3, 3)])
def test_pictures_of_any_shape_are_taken(session, shape):
    assert engine_of(session).auto(np.full(shape, 255, np.uint8)).alpha.min() > 0.99


def test_whatever_a_runtime_raises_becomes_one_error(session, rgb):
    def fail(batch):
        raise MemoryError("no room")

    session.run = fail
    with pytest.raises(InferenceFailed) as raised:
        engine_of(session).auto(rgb)
    assert "no room" not in raised.value.message
    assert isinstance(raised.value.__cause__, MemoryError)


def test_one_thread_at_a_time_runs_the_network(session, rgb, monkeypatch):
    inside, crowded, pictures, answer = [], [], [], session.run

    def watched(batch):
        inside.append(1)
        crowded.append(len(inside) > 1)
        pictures.append(len(batch))
        result = answer(batch)
        inside.pop()
        return result

    session.run = watched
    engine = engine_of(session)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=lambda: [engine.auto(rgb) for _ in range(5)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sum(pictures) == 20
    assert not any(crowded)


def people_maps(*people):
    """Return the network's output for people, in which only these people are found. A cell is 8 x 8 pixels.

    people: tuples of column, row, width and height in cells, and the logit.
    """
    maps = np.full((5, SIZE // 8, SIZE // 8), -12.0, np.float32)
    for column, row, width, height, logit in people:
        maps[:, row, column] = logit, *np.log([width, height, width, height] / np.float32(2))
    return maps


def answer_with_people(session, maps):
    alone = session.run
    session.run = lambda batch: [alone(batch)[0], np.repeat(maps[None], len(batch), axis=0)]


def test_people_are_boxed_by_their_centre_and_size_the_surest_first(session, rgb):
    answer_with_people(session, people_maps((1, 3, 2, 4, 1.0), (6, 4, 3, 8, 3.0)))
    rgb[:] = 255, 0, 0  # a subject everywhere, and no pixels of people
    people = engine_of(session).instances(rgb)  # a cell is 25 x 12.5 pixels
    assert [person.box for person in people] == [Box(125, 6, 200, 100), Box(12, 19, 62, 69)]
    np.testing.assert_allclose([person.score for person in people], [0.953, 0.731], atol=1e-3)
    planes = session.batches[1][:, 3]
    assert planes[0, 30, 60] == 1.0
    assert planes[0, 30, 10] == -1.0
    assert people[1].alpha[20:40, 6:18].min() > 0.99
    assert people[1].alpha[:, 32:].max() == 0.0


def test_a_person_whose_matte_is_faint_counts_less(session, rgb):
    answer_with_people(session, people_maps((1, 3, 2, 4, 1.0)))
    solid = engine_of(session).instances(rgb)[0].score
    faint = RecordingSession()
    answer_with_people(faint, people_maps((1, 3, 2, 4, 1.0)))
    sharp = faint.run
    faint.run = lambda batch: [sharp(batch)[0] / 4, sharp(batch)[1]]

    assert engine_of(faint).instances(rgb)[0].score == pytest.approx(solid / (1 + np.exp(-3)) ** 4, rel=1e-3)


def test_a_person_who_is_served_is_sure_enough_with_the_matte_too(session, rgb):
    answer_with_people(session, people_maps((1, 3, 2, 4, 1.0)))  # a score of 0.73, before the matte is used
    sharp = session.run
    session.run = lambda batch: [sharp(batch)[0] / 12, sharp(batch)[1]]  # and mattes of 0.73 where they are opaque

    assert len(engine_of(session, min_score=0.2).instances(rgb)) == 1
    assert engine_of(session, min_score=0.22).instances(rgb) == []


def test_a_persons_box_is_what_the_cells_about_its_centre_agree_on(session, rgb):
    maps = people_maps((3, 3, 4, 4, 2.0))
    # The neighbour has the same score, and its box extends further to the right.
    maps[:, 3, 4] = 2.0 - 1e-3, *np.log([3, 2, 3, 2])
    answer_with_people(session, maps)

    (person,) = engine_of(session).instances(rgb)

    assert person.box == Box(38, 19, 162, 69)  # cells 1.5 to 5.5 and 1.5 to 7.5 across make 1.5 to 6.5


def test_a_person_seen_twice_is_one_and_the_unsure_are_none(session, rgb):
    answer_with_people(session, people_maps((3, 3, 4, 12, 3.0), (3, 5, 4, 12, 2.0), (7, 7, 2, 2, -3.0)))
    assert len(engine_of(session).instances(rgb)) == 1


def test_a_picture_without_people_has_no_instances(session, rgb):
    assert engine_of(session).instances(rgb) == []
    assert len(session.batches) == 1


@pytest.fixture(scope="module")
def built_in(tmp_path_factory):
    """Return the inference engine of a new installation, with the weights of this repository."""
    weights = Path(__file__).parents[2] / "weights" / "keyline-small.safetensors"
    return load_engine(weights, cache_dir=tmp_path_factory.mktemp("engine-cache"))


def test_the_released_weights_find_the_astronaut(built_in):
    alpha = built_in.auto(skimage.data.astronaut()).alpha
    rows, columns = alpha.shape
    face = alpha[rows * 60 // 512 : rows * 180 // 512, columns * 180 // 512 : columns * 270 // 512]
    assert face.mean() > 0.9
    assert 0.2 < alpha.mean() < 0.75  # tolerance for the flag and the shuttle beside her


def test_the_released_weights_keep_to_the_box(built_in):
    (matte,) = built_in.boxes(skimage.data.astronaut(), [Box(90, 0, 460, 512)])
    rows, columns = matte.alpha.shape
    assert matte.alpha[rows * 60 // 512 : rows * 180 // 512, columns * 180 // 512 : columns * 270 // 512].mean() > 0.8
    assert matte.alpha[:, : columns * 80 // 512].max() == 0.0
