"""Tests that a pixel of several people is assigned to one person, and that a person found twice is counted once."""

import numpy as np
import pytest

from segmentation.instances import assign_instances


def person(left, right, opacity=1.0, size=40):
    alpha = np.zeros((size, size), np.float32)
    alpha[:, left:right] = opacity
    return alpha


def assigned(*alphas, scores):
    stack = np.stack(alphas)
    return assign_instances(stack, np.array(scores), stack.max(axis=0))


def test_people_apart_keep_all_their_pixels():
    ids = assigned(person(0, 10), person(20, 30), scores=[0.5, 0.9])

    assert set(np.unique(ids[:, :10])) == {1}
    assert set(np.unique(ids[:, 20:30])) == {2}
    assert not ids[:, 10:20].any()
    assert not ids[:, 30:].any()


def test_a_contested_pixel_goes_to_the_higher_alpha_whatever_the_scores():
    ids = assigned(person(0, 24, 0.7), person(16, 40, 1.0), scores=[0.9, 0.5])

    assert set(np.unique(ids[:, :16])) == {1}
    assert set(np.unique(ids[:, 17:])) == {2}


def test_a_tie_goes_to_the_surer_person():
    first, second = person(0, 30), person(10, 40)

    assert (assigned(first, second, scores=[0.9, 0.5])[:, 15:25] == 1).all()
    assert (assigned(first, second, scores=[0.5, 0.9])[:, 15:25] == 2).all()


def test_a_person_within_a_surer_one_is_the_same_person():
    ids = assigned(person(0, 10), person(0, 30), scores=[0.5, 0.9])

    assert set(np.unique(ids)) == {0, 2}


def test_a_surer_part_does_not_swallow_the_person_round_it():
    ids = assigned(person(0, 10), person(0, 30), scores=[0.9, 0.5])

    assert set(np.unique(ids[:, 15:30])) == {2}


def test_pixels_that_the_union_does_not_show_belong_to_no_one():
    alphas = np.stack([person(0, 20)])

    ids = assign_instances(alphas, np.array([0.9]), person(0, 10))

    assert ids[:, :10].all()
    assert not ids[:, 10:].any()


def test_no_people_and_people_without_an_opaque_pixel_leave_the_map_empty():
    assert not assign_instances(np.zeros((0, 8, 8), np.float32), np.zeros(0), np.ones((8, 8))).any()
    assert not assigned(person(0, 10, 0.4), scores=[0.9]).any()


def test_more_people_than_eight_bits_are_refused():
    with pytest.raises(ValueError, match="255"):
        assign_instances(np.zeros((256, 2, 2), np.float32), np.zeros(256), np.zeros((2, 2)))
