"""Tests of clicks on the built-in engine: the prompts that its network gets, and how a click changes the result."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.engines.base import Matte
from segmentation.engines.correcting import added, piece_at, taken_away
from segmentation.engines.looking import SplitLooker
from segmentation.engines.manifest import Manifest
from segmentation.engines.session import GuardedSession
from segmentation.engines.unet import UNetEngine
from segmentation.errors import InferenceFailed
from segmentation.options import Box, Point
from tests.segmentation.pictures import half_red
from tests.segmentation.test_engines import SIZE, RecordingSession, engine_of

pytestmark = pytest.mark.slow


@pytest.fixture
def rgb():
    return half_red()


class RedEncoder:
    """A fake encoder of a network that accepts clicks: its only feature map is the red channel."""

    runtime = "recording"
    outputs = ("red",)
    max_batch = 2

    def __init__(self):
        self.batches = []

    def run(self, photos):
        self.batches.append(photos.copy())
        return [photos[:, :1]]


class PromptedDecoder:
    """A fake decoder: the subject is the red pixels inside the box, and discs around clicks on parts to keep."""

    runtime = "recording"
    outputs = ("mattes", "people")
    max_batch = 2

    def __init__(self):
        self.planes = []

    def run(self, red, planes):
        self.planes.append(planes.copy())
        boxed, clicks = planes[:, :1], planes[:, 1:2]
        subject = np.where((red > 0.5) & (boxed >= 0), 12.0, -12.0) + 30 * clicks
        maps = np.full((len(red), 5, SIZE // 8, SIZE // 8), -12.0, np.float32)
        return [np.concatenate([subject, -12 + 0 * red], 1).astype(np.float32), maps]


@pytest.fixture
def parts():
    return RedEncoder(), PromptedDecoder()


@pytest.fixture
def engine(parts):
    return clickable(parts)


def clickable(parts, **manifest):
    settings = {"name": "clickable", "family": "keyline", "size": SIZE, "mean": 0.0, "std": 1.0, "points": True}
    looker = SplitLooker(*(GuardedSession(part) for part in parts))
    return UNetEngine(looker, Manifest.from_json(settings | manifest), "0123456789ab")


def test_the_subject_and_boxes_are_found_as_by_any_network(engine, rgb):
    assert engine.takes_points
    assert (engine.auto(rgb).alpha[:, :31] > 0.99).all()
    (matte,) = engine.boxes(rgb, [Box(20, 20, 60, 60)])
    assert matte.alpha.max() > 0.99


def test_a_click_is_a_disc_on_its_plane_and_answers_build_on_each_other(engine, parts, rgb):
    matte = engine.points(rgb, [Point(150, 50), Point(50, 50, keep=False)], [], before=None)

    first, second, clicked = (planes[0] for planes in parts[1].planes)
    assert first[1, 32, 48] == 1.0
    assert (first[1] != 0).sum() == pytest.approx(np.pi * 2**2, rel=0.3)
    assert not first[[0, 2]].any()
    assert (second[1, 32, 48], second[1, 32, 16]) == (1.0, -1.0)
    assert second[2, 32, 48] == pytest.approx(1.0, abs=1e-3)
    assert second[2, 5, 60] == pytest.approx(-1.0, abs=1e-3)
    assert (clicked[1, 32, 48], clicked[1, 32, 16]) == (0.0, 1.0)
    assert not clicked[[0, 2]].any()
    assert matte.alpha[32, 48] > 0.99 > 0.01 > matte.alpha[32, 16]


def test_a_remove_click_before_any_result_only_informs_the_next_click(engine, parts, rgb):
    matte = engine.points(rgb, [Point(50, 50, keep=False), Point(20, 50)], [], before=None)

    (planes,) = parts[1].planes
    assert (planes[0, 1, 32, 16], planes[0, 1, 32, 6]) == (-1.0, 1.0)
    assert matte.alpha[32, 6] > 0.99 > 0.01 > matte.alpha[32, 16]


def test_a_first_click_after_the_whole_subject_corrects_it(engine, parts, rgb):
    before = engine.auto(rgb)
    engine.points(rgb, [Point(50, 50, keep=False)], [], before=before)

    alone, corrected, _ = (planes[0] for planes in parts[1].planes)
    assert not alone.any()
    assert corrected[2, 32, 8] == pytest.approx(1.0, abs=1e-3)


def test_boxes_and_clicks_are_seen_close_and_laid_back_in_their_place(engine, parts, rgb):
    matte = engine.points(rgb, [Point(90, 60)], [Box(60, 40, 100, 80)], before=None)

    assert parts[1].planes[-1][0, 0, 32, 32] == 1.0
    height, width = matte.alpha.shape
    assert matte.alpha[60 * height // 100, 90 * width // 200] > 0.99
    assert matte.alpha[10 * height // 100, 20 * width // 200] == 0


def test_a_photo_that_is_asked_about_again_is_encoded_once(engine, parts, rgb):
    points = [Point(50, 50), Point(150, 50), Point(60, 20, keep=False)]
    for count in range(1, 4):
        engine.points(rgb, points[:count], [], before=None)
    assert len(parts[0].batches) == 1
    assert len(parts[1].planes) == 5  # one for the first click; two for each other one
    engine.points(255 - rgb, points, [], before=None)
    assert len(parts[0].batches) == 2


@pytest.mark.parametrize(("click", "left_stays"), [(Point(50, 50, keep=False), False), (Point(150, 50), True)])
def test_a_click_changes_nothing_but_what_it_hits(parts, rgb, click, left_stays):
    def answer(red, planes):
        """Find only the halves with a keep click, and nothing with a remove click."""
        kept, removed = planes[0, 1] > 0, planes[0, 1] < 0
        subject = np.full((SIZE, SIZE), -12.0, np.float32)
        for half in (np.s_[:, : SIZE // 2], np.s_[:, SIZE // 2 :]):
            if kept[half].any() and not removed.any():
                subject[half] = 12.0
        maps = np.full((1, 5, SIZE // 8, SIZE // 8), -12.0, np.float32)
        return [np.stack([subject, subject])[None], maps]

    parts[1].run = answer
    others = Point(180, 50)
    clicks = [click] if click.keep else [others, click]
    left = np.zeros((200, 400), np.float32)
    left[:, :200] = 1.0

    matte = clickable(parts).points(rgb, clicks, [], before=Matte(left))

    assert matte.alpha.shape == (200, 400)  # as fine as the previous result
    assert (matte.alpha[:, :198] > 0.99).all() == left_stays
    assert (matte.alpha[:, 206:] > 0.99).all()  # at the border the network's cells are wider
    assert matte.people is None


def test_only_what_a_click_hits_for_certain_is_taken_away():
    before, found = np.ones((1, 1, 3), np.float32), np.zeros((1, 1, 3), np.float32)
    hit = np.array([[[0.3, 0.5, 0.7]]], np.float32)

    assert taken_away(before, found, hit) == pytest.approx(np.array([[[1, 0.5, 0]]]))
    assert taken_away(before, before, hit) == pytest.approx(before)  # the network's answer keeps it


def test_only_the_piece_at_the_click_is_hit_with_its_soft_edge():
    hit = np.zeros((2, 80, 80), np.float32)
    hit[:, 10:30, 10:30], hit[:, 30, 10:30] = 0.9, 0.4  # the piece with a soft edge
    hit[:, 50:70, 50:70] = 0.8

    one = piece_at(hit, 0.25, 0.25)

    np.testing.assert_array_equal(one[:, :40], hit[:, :40])
    assert not one[:, 40:].any()
    np.testing.assert_array_equal(piece_at(hit, 0.75, 0.75)[:, 50:], hit[:, 50:])
    np.testing.assert_array_equal(piece_at(hit, 0.01, 0.99), hit)  # nothing is there, so nothing is known


def test_an_object_that_is_added_keeps_its_soft_edge():
    before, found = np.zeros((1, 1, 3), np.float32), np.ones((1, 1, 3), np.float32)
    hit = np.array([[[0.3, 0.5, 0.7]]], np.float32)

    assert added(before, found, hit) == pytest.approx(hit)


def test_a_small_result_is_seen_again_from_closer_with_its_clicks(parts):
    rgb = np.zeros((100, 200, 3), np.uint8)
    rgb[40:60, 20:40, 0] = 255
    points = [Point(30, 50), Point(44, 50), Point(190, 10, keep=False)]

    engine = clickable(parts, second_look=True, box_margin=0.3)
    matte = engine.points(rgb, points, [], before=None)

    photo, closer = parts[0].batches[-1][0, 0], parts[1].planes[-1][0]
    assert photo.mean() > 0.2  # the square covers 2 % of the picture
    assert closer[1, 32, 26] == closer[1, 32, 43] == 1.0
    assert (closer[1] >= 0).all()  # the remove click lies outside
    assert (closer[2, 32, 26], closer[2, 0, 32]) == pytest.approx((1.0, -1.0), abs=1e-2)
    assert matte.alpha.shape[0] > SIZE
    rows, columns = matte.alpha.shape
    assert matte.alpha[rows // 2, columns * 30 // 200] > 0.99 > 0.01 > matte.alpha[rows // 2, columns * 70 // 200]


def test_the_mirrored_picture_is_seen_and_encoded_once_too(parts, rgb):
    engine = clickable(parts, mirrored=True)

    for count in (1, 2):
        matte = engine.points(rgb, [Point(150, 50), Point(50, 50, keep=False)][:count], [], before=None)

    assert len(parts[0].batches) == 2
    np.testing.assert_array_equal(parts[0].batches[0], parts[0].batches[1][..., ::-1])
    first, mirrored = (planes[0] for planes in parts[1].planes[:2])
    np.testing.assert_array_equal(first, mirrored[..., ::-1])
    assert len(parts[1].planes) == 6
    assert matte.alpha[32, 48] > 0.99 > 0.01 > matte.alpha[32, 16]


def test_a_network_without_clicks_says_so(rgb):
    with pytest.raises(InferenceFailed, match="does not take points"):
        engine_of(RecordingSession()).points(rgb, [Point(5, 5)], [], before=None)
