"""Tests of the simulated clicks of the evaluation: first in the middle of the subject, then at the largest errors."""

import numpy as np
import pytest

from segmentation.engines.base import Matte
from training.click_scores import next_click, score_clicks, score_corrections

RGB = np.zeros((80, 160, 3), np.uint8)


def truth():
    mask = np.zeros((40, 80), np.float32)
    mask[10:30, 10:40] = 1
    return mask


def test_the_first_click_lies_in_the_middle_of_the_subject():
    click = next_click(truth(), np.zeros((40, 80)), (80, 160))

    assert click.keep
    assert 38 <= click.y <= 42
    assert 38 <= click.x <= 62


@pytest.mark.parametrize(("found", "keep", "column"), [(slice(10, 30), True, 35), (slice(10, 70), False, 55)])
def test_a_further_click_corrects_the_largest_error(found, keep, column):
    alpha = np.zeros((40, 80))
    alpha[10:30, found] = 1

    click = next_click(truth(), alpha, (80, 160))

    assert click.keep is keep
    assert click.x / 2 == pytest.approx(column, abs=6)


def test_an_error_at_the_border_is_clicked_inside_the_picture():
    alpha = truth()
    alpha[:, 70:] = 1

    click = next_click(truth(), alpha, (80, 160))

    assert not click.keep
    assert 145 <= click.x <= 155


class Patient:
    """A fake inference engine: it adds a square around each keep point and removes one around each remove point."""

    takes_points = True

    def points(self, rgb, points, boxes, *, before):
        alpha = np.zeros((40, 80), np.float32)
        for point in points:
            row, column = point.y // 2, point.x // 2
            alpha[max(0, row - 5) : row + 5, max(0, column - 5) : column + 5] = point.keep
        return Matte(alpha)


def test_more_clicks_bring_more_of_the_subject():
    figures = score_clicks(Patient(), iter([(RGB, truth())]))

    assert figures["subjects"] == 1
    assert 0.1 < figures["iou_after_1"] < figures["iou_after_3"] < figures["iou_after_5"]


class Group(Patient):
    """A fake engine: `auto` finds two of three people; a click changes the left columns of one person."""

    def __init__(self, columns):
        self.columns = columns

    def auto(self, rgb):
        return Matte(people()[0].astype(np.float32) + people()[1])

    def points(self, rgb, points, boxes, *, before):
        alpha = before.alpha.copy()
        (point,) = points
        start = point.x // 2 // 20 * 20
        alpha[:, start : start + self.columns] = point.keep
        return Matte(alpha)


def people():
    """Return three people, each 20 columns wide, of which `Group` finds the first two."""
    masks = [np.zeros((40, 80), bool) for _ in range(3)]
    for number, mask in enumerate(masks):
        mask[:, 20 * number : 20 * number + 20] = True
    return masks


@pytest.mark.parametrize(("columns", "removed", "kept_at_removal", "added"), [(20, 1, 1, 1), (10, 2 / 3, 1, 5 / 6)])
def test_corrections_count_what_one_click_on_one_person_changes(columns, removed, kept_at_removal, added):
    figures = score_corrections(Group(columns), iter([(RGB, people())]))

    assert (figures["removals"], figures["additions"]) == (2, 1)
    assert figures["iou_after_removal"] == pytest.approx(removed)
    assert figures["kept_at_removal"] == pytest.approx(kept_at_removal)
    assert figures["iou_after_addition"] == figures["kept_at_addition"] == pytest.approx(added)
