"""Tests of the classification of a picture's subject, for example as a person or an object."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

from segmentation.classify import is_stamped_paper, people_share, which_subject
from segmentation.engines.base import Matte
from segmentation.options import Subject
from training.stamped_pages import plain_page, stamped_page


@pytest.fixture
def photo():
    return skimage.data.astronaut()


def half_matte(*, people):
    """Return a matte whose left half is the subject. people: the fraction 0..1 of the subject that shows people."""
    alpha = np.zeros((40, 40), np.float32)
    alpha[:, :20] = 1.0
    found = np.zeros_like(alpha)
    found[: round(40 * people), :20] = 1.0
    return Matte(alpha, found)


def test_a_subject_that_is_mostly_people_is_a_person(photo):
    assert which_subject(photo, half_matte(people=0.7)) is Subject.PERSON


def test_a_thing_with_somebody_on_it_is_an_object(photo):
    assert which_subject(photo, half_matte(people=0.3)) is Subject.OBJECT


def test_people_outside_the_subject_do_not_count(photo):
    matte = half_matte(people=0.0)
    matte.people[:, 20:] = 1.0
    assert which_subject(photo, matte) is Subject.OBJECT


def test_without_a_people_channel_everything_is_an_object(photo):
    assert which_subject(photo, Matte(np.ones((40, 40), np.float32))) is Subject.OBJECT


def test_an_empty_matte_is_an_object(photo):
    nothing = np.zeros((40, 40), np.float32)
    assert people_share(Matte(nothing, nothing)) == 0.0
    assert which_subject(photo, Matte(nothing, nothing)) is Subject.OBJECT


@pytest.mark.parametrize("seed", range(200, 212))
def test_ink_on_paper_is_a_stamp_whatever_the_network_sees_in_it(seed):
    page = stamped_page(seed)
    assert which_subject(page.rgb, half_matte(people=1.0)) is Subject.STAMP, page.words


@pytest.mark.parametrize("seed", range(3))
def test_a_page_without_ink_is_no_stamp(seed):
    assert not is_stamped_paper(plain_page(seed))


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket", "camera"])
def test_a_photo_is_no_stamp(name):
    picture = getattr(skimage.data, name)()
    assert not is_stamped_paper(np.dstack([picture] * 3) if picture.ndim == 2 else picture)


def test_a_shaded_red_ball_on_white_is_no_stamp():
    rgb = np.full((300, 400, 3), 250, np.uint8)
    for radius in range(90, 0, -1):  # lit from the upper left, dark at the rim
        shade = np.array([210, 40, 45]) * (1.15 - 0.9 * (radius / 90) ** 2)
        cv2.circle(rgb, (200 - (90 - radius) // 4, 150 - (90 - radius) // 4), radius, shade.clip(0, 255).tolist(), -1)
    assert not is_stamped_paper(rgb)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 500, 3)])
def test_degenerate_pictures_are_no_stamps(shape):
    assert not is_stamped_paper(np.zeros(shape, np.uint8))
