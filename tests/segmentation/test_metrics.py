"""Tests of the accuracy measures of the evaluation, with results that were computed by hand."""

import json

import cv2
import numpy as np
import pytest

from segmentation.engines.base import Instance, Matte
from segmentation.options import Box
from training import evaluate
from training.compose import Pair
from training.evaluate import (
    Sample,
    listed,
    read_sample,
    score_boxes,
    score_instances,
    score_pairs,
    score_subjects,
    true_box,
)
from training.instance_metrics import PeopleScores, Scene, average_precision
from training.metrics import (
    SubjectScores,
    boundary_error,
    f_measure,
    intersection_over_union,
    mean_absolute_error,
    opaque_share,
    precision_recall,
    structure_measure,
)


def half(size=8):
    truth = np.zeros((size, size), np.float32)
    truth[:, : size // 2] = 1
    return truth


def block(left, right, size=20):
    mask = np.zeros((size, size), bool)
    mask[:, left:right] = True
    return mask


def scene(truths, found, scores, ignored=None):
    def stack(masks):
        return np.stack(masks) if masks else np.zeros((0, 20, 20), bool)

    return Scene(stack(truths), stack(found), np.array(scores, float), ignored)


def people_figures(*scenes, **settings):
    scores = PeopleScores(**settings)
    for each in scenes:
        scores.add(each)
    return scores.summary()


class TestSubjects:
    def test_precision_and_recall_of_an_alpha_with_two_levels(self):
        truth = np.array([[1, 1, 0, 0]], np.float32)
        alpha = np.array([[1.0, 0.4, 0.4, 0.0]])

        precision, recall = precision_recall(alpha, truth)

        assert precision[254] == 1
        assert recall[254] == 0.5
        assert precision[101] == pytest.approx(2 / 3)  # at t = 102 of 255, the level of 0.4
        assert recall[101] == 1
        assert precision[102] == 1

    def test_precision_is_zero_where_nothing_is_selected(self):
        precision, recall = precision_recall(np.zeros((4, 4)), half(4))

        assert precision.max() == 0
        assert recall.max() == 0

    def test_f_weighs_precision_more_than_recall(self):
        assert f_measure(np.array(0.8), np.array(0.5)) == pytest.approx(1.3 * 0.4 / 0.74)
        assert f_measure(np.array(0.8), np.array(0.5)) > f_measure(np.array(0.5), np.array(0.8))

    def test_f_is_taken_of_mean_precision_and_mean_recall(self):
        scores = SubjectScores()
        scores.add(half(), half())
        scores.add(np.ones((8, 8)), half())

        # Precision 1 and 1/2, recall 1 and 1: the mean of the two F would be another number.
        assert scores.summary()["max_f"] == pytest.approx(1.3 * 0.75 / (0.3 * 0.75 + 1))

    def test_mean_absolute_error_keeps_soft_differences(self):
        assert mean_absolute_error(np.full((8, 8), 0.25), half()) == pytest.approx(0.5)
        assert mean_absolute_error(half() * 0.5, half()) == pytest.approx(0.25)

    def test_overlap_of_shifted_halves(self):
        shifted = np.roll(half(), 2, axis=1)

        assert intersection_over_union(shifted, half()) == pytest.approx(2 / 6)

    def test_two_empty_alphas_overlap_wholly(self):
        assert intersection_over_union(np.zeros((4, 4)), np.zeros((4, 4))) == 1

    def test_opaque_share_counts_pixels_above_a_half(self):
        assert opaque_share(np.array([[0.4, 0.6], [1.0, 0.0]])) == 0.5

    def test_boundary_error_ignores_what_is_far_from_an_edge(self):
        truth = half(100)
        far, near = truth.copy(), truth.copy()
        far[:, 90:] = 1
        near[:, 50] = 1

        assert boundary_error(far, truth) == 0
        assert boundary_error(near, truth) == pytest.approx(1 / 2)  # radius 1: a band of two columns

    def test_boundary_band_holds_soft_edges_whole(self):
        truth = np.tile(np.linspace(0, 1, 100, dtype=np.float32), (100, 1))

        assert boundary_error(np.zeros_like(truth), truth) == 0  # a change below 0.1 within the band's width is no edge
        steep = np.clip((truth - 0.5) * 20 + 0.5, 0, 1)
        assert boundary_error(steep + 0.0, steep) == 0
        assert boundary_error(1 - steep, steep) > 0.4

    def test_structure_of_a_perfect_and_of_an_opposite_alpha(self):
        assert structure_measure(half(), half()) == pytest.approx(1, abs=1e-6)
        assert structure_measure(1 - half(), half()) < 0.3

    def test_structure_prefers_the_right_shape_to_an_even_grey(self):
        shape = half() * 0.8 + 0.1

        assert structure_measure(shape, half()) > structure_measure(np.full((8, 8), 0.5), half())

    def test_structure_without_a_subject_is_what_stays_clear(self):
        assert structure_measure(np.full((4, 4), 0.25), np.zeros((4, 4))) == pytest.approx(0.75)
        assert structure_measure(np.full((4, 4), 0.25), np.ones((4, 4))) == pytest.approx(0.25)

    def test_structure_of_a_hand_computed_case(self):
        truth = np.array([[1, 0, 1, 0]], np.float32)
        alpha = np.array([[0.5, 0, 1, 0]])

        # Objects: the subject has mean 3/4 and deviation sqrt(1/8), the ground is perfect; each is half of the picture.
        objects = 0.5 * 1.5 / (0.75**2 + 1 + np.sqrt(1 / 8)) + 0.5
        # Regions: the centroid parts (1/2, 0) against (1, 0), which scores 0.125 / 0.1953125, from a perfect half.
        regions = 0.5 * 0.64 + 0.5
        assert structure_measure(alpha, truth) == pytest.approx((objects + regions) / 2, abs=1e-6)

    def test_pictures_without_subject_count_for_the_opaque_share_alone(self):
        scores = SubjectScores()
        scores.add(half(), half())
        scores.add(half(), None)
        scores.add(np.zeros((8, 8)), np.zeros((8, 8)))

        figures = scores.summary()

        assert figures["empty_opaque_share"] == 0.25
        assert figures["mae"] == 0
        assert figures["pictures"] == 3


class TestPeople:
    def test_everybody_found_exactly_is_perfect(self):
        people = [block(0, 5), block(10, 15)]

        figures = people_figures(scene(people, people, [0.9, 0.8]))

        assert figures["ap"] == figures["ap50"] == figures["ar"] == 1
        assert figures["count_error"] == 0

    def test_an_overlap_of_0_6_counts_at_three_of_ten_thresholds(self):
        figures = people_figures(scene([block(0, 10)], [block(0, 6)], [0.9]))

        assert figures["ap50"] == 1
        assert figures["ap"] == pytest.approx(0.3)
        assert figures["ar"] == pytest.approx(0.3)

    def test_a_second_detection_of_the_same_person_is_wrong(self):
        figures = people_figures(scene([block(0, 10), block(10, 20)], [block(0, 10), block(0, 9)], [0.9, 0.8]))

        # Recall 1/2 at precision 1, nothing beyond: 51 of the 101 recalls are reached.
        assert figures["ap50"] == pytest.approx(51 / 101)
        assert figures["ar"] == 0.5

    def test_a_wrong_detection_before_the_right_one_halves_precision(self):
        assert average_precision(np.array([0.9, 0.5]), np.array([False, True]), 1) == pytest.approx(0.5)

    def test_detections_in_a_crowd_are_neither_right_nor_wrong(self):
        found = [block(0, 5), block(10, 20)]

        with_crowd = people_figures(scene([block(0, 5)], found, [0.8, 0.9], ignored=block(9, 20)))
        without = people_figures(scene([block(0, 5)], found, [0.8, 0.9]))

        assert with_crowd["ap50"] == 1
        assert with_crowd["count_error"] == 0
        assert without["ap50"] == pytest.approx(0.5)
        assert without["count_error"] == 1

    def test_people_below_the_least_size_are_neither_asked_for_nor_wrong(self):
        people = [block(0, 10), block(19, 20)]

        found = people_figures(scene(people, people, [0.5, 0.9]), least_share=0.1)
        missed = people_figures(scene(people, people[:1], [0.5]), least_share=0.1)

        assert found["people"] == missed["people"] == 1
        assert found["ap50"] == missed["ap50"] == 1
        assert found["count_error"] == 0

    def test_precision_is_gathered_over_pictures_by_score(self):
        first = scene([block(0, 5)], [block(0, 5)], [0.6])
        second = scene([block(0, 5)], [block(10, 15)], [0.9])

        figures = people_figures(first, second)

        # The wrong detection has the higher score: recall 1/2 is reached at precision 1/2.
        assert figures["ap50"] == pytest.approx(0.5 * 51 / 101)
        assert figures["count_error"] == 0

    def test_the_count_of_people_ignores_what_is_unsure(self):
        figures = people_figures(scene([block(0, 5)], [block(0, 5), block(10, 15)], [0.9, 0.2]))

        assert figures["count_error"] == 0

    def test_nobody_found_is_nobody_right(self):
        figures = people_figures(scene([block(0, 5)], [], []), scene([], [], []))

        assert figures["ap50"] == figures["ar"] == 0
        assert figures["count_error"] == 0.5

    def test_a_picture_without_people_counts_what_is_found_there_as_wrong(self):
        figures = people_figures(scene([block(0, 5)], [block(0, 5)], [0.5]), scene([], [block(0, 5)], [0.9]))

        assert figures["ap50"] == pytest.approx(0.5)
        assert figures["count_error"] == 0.5


class BrightEngine:
    """A fake inference engine whose subject is all bright pixels.

    With a box, only the pixels inside the box are the subject. Each connected area of bright pixels is one person.
    """

    def __init__(self, scores=()):
        self.scores = scores

    def auto(self, rgb):
        return Matte((rgb[..., 0] > 127).astype(np.float32))

    def boxes(self, rgb, boxes):
        mattes = []
        for box in boxes:
            alpha = np.zeros(rgb.shape[:2], np.float32)
            window = np.s_[box.top : box.bottom, box.left : box.right]
            alpha[window] = self.auto(rgb).alpha[window]
            mattes.append(Matte(alpha))
        return mattes

    def instances(self, rgb):
        count, labels = cv2.connectedComponents((rgb[..., 0] > 127).astype(np.uint8))
        box = Box(0, 0, rgb.shape[1], rgb.shape[0])
        scores = self.scores or [0.9] * (count - 1)
        return [Instance(box, scores[n], (labels == n + 1).astype(np.float32)) for n in range(count - 1)]


def bright(*spans, size=40):
    rgb = np.zeros((size, size, 3), np.uint8)
    for left, right in spans:
        rgb[:, left:right] = 255
    return rgb


class TestEvaluation:
    def test_masks_in_another_folder_are_found_by_name(self, tmp_path):
        photos, masks = tmp_path / "photos", tmp_path / "masks"
        photos.mkdir()
        masks.mkdir()
        # Its score would be low if it were used as a mask.
        cv2.imwrite(str(photos / "one.png"), bright((0, 20)) // 2 + 100)
        cv2.imwrite(str(photos / "two.jpg"), bright((0, 20)))
        cv2.imwrite(str(masks / "one.png"), bright((0, 20))[..., 0])

        found = listed(photos, masks=masks, only_held_out=False)
        figures = score_subjects(BrightEngine(), map(read_sample, found))

        assert figures["pictures"] == 2
        assert figures["max_f"] == pytest.approx(1)
        assert figures["mae"] == 0
        assert figures["empty_opaque_share"] == 0.5  # two.jpg has no mask, so the correct result is empty

    def test_boxes_are_scored_one_person_at_a_time(self):
        people = np.zeros((40, 40), np.uint8)
        people[:, :10], people[:, 20:30] = 1, 2

        sample = Sample(bright((0, 10), (20, 30)), None, people)
        figures = score_boxes(BrightEngine(), iter([sample]))

        assert figures["pictures"] == 2
        assert figures["iou"] == 1

    def test_people_are_scored_at_the_masks_own_size(self):
        people = np.zeros((80, 80), np.uint8)
        people[:, :20], people[:, 40:60] = 1, 2

        figures = score_instances(BrightEngine(), iter([Sample(bright((0, 10), (20, 30)), None, people)]))

        assert figures["people"] == 2
        assert figures["ap50"] == 1
        assert figures["count_error"] == 0

    @pytest.mark.parametrize(("served_score", "count_error"), [(0.3, 1), (0.5, 0)])
    def test_people_are_counted_from_the_score_at_which_they_are_served(self, served_score, count_error):
        people = np.zeros((40, 40), np.uint8)
        people[:, :10] = 1
        engine = BrightEngine(scores=(0.9, 0.4))  # the second detection is not a person

        sample = Sample(bright((0, 10), (20, 30)), None, people)
        figures = score_instances(engine, iter([sample]), served_score)

        assert figures["count_error"] == count_error
        assert figures["ap50"] == 1

    def test_detections_below_the_served_score_count_for_the_precision(self, tmp_path, monkeypatch):
        seen = []
        monkeypatch.setattr(evaluate, "engine_for", lambda weights, size, least_score: seen.append(least_score))
        monkeypatch.setattr(evaluate, "score_instances", lambda engine, samples, served: {"served": served})
        weights = tmp_path / "w.safetensors"
        weights.with_suffix(".json").write_text(json.dumps({"name": "w", "family": "keyline", "min_score": 0.4}))
        cv2.imwrite(str(tmp_path / "one.png"), bright((0, 20)))

        figures = evaluate.evaluate(tmp_path, task="instances", weights=weights)

        assert seen == [evaluate.LEAST_SCORE]
        assert figures == {"served": 0.4}

    def test_a_pair_that_touches_is_not_told_apart_by_one_mask(self):
        def pair(*spans):
            alphas = [bright(span)[..., 0].astype(np.float32) / 255 for span in spans]
            return Pair(bright(*spans), tuple(alphas))

        apart = score_pairs(BrightEngine(), iter([pair((0, 10), (20, 30))]))
        touching = score_pairs(BrightEngine(), iter([pair((0, 15), (15, 30))]))

        assert apart == {"pictures": 1, "boxed_iou": 1, "other_opaque_share": 0, "told_apart_share": 1}
        assert touching["told_apart_share"] == 0

    def test_true_boxes_are_in_pixels_of_the_picture(self):
        solid = np.zeros((20, 20), bool)
        solid[5:10, 0:20] = True

        assert true_box(solid, np.zeros((40, 60, 3), np.uint8)) == Box(0, 10, 60, 20)
