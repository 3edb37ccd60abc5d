"""Tests of contact sheets: each result appears once with its name, and uncertain results are marked."""

import io

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from segmentation.finish.sheet import UNCERTAIN_COLOR, Entry, contact_sheet, draw_page


def entry(name="bag.jpg", *, is_uncertain=False, channels=3):
    return Entry(name, np.full((60, 40, channels), 128, np.uint8), is_uncertain)


def colors_of(page):
    return {color for _, color in page.getcolors(2**24)}


def test_twenty_results_fill_a_page_and_one_more_begins_the_next():
    data = contact_sheet((entry(f"{number}.jpg") for number in range(21)), title="Autumn")

    assert len(PdfReader(io.BytesIO(data)).pages) == 2


def test_uncertain_results_are_marked():
    assert UNCERTAIN_COLOR in colors_of(draw_page([entry(is_uncertain=True)]))
    assert UNCERTAIN_COLOR not in colors_of(draw_page([entry()]))


@pytest.mark.parametrize("name", ["a" * 300, "包包.jpg", "", "\u202egpj.exe"])
def test_any_name_is_drawn_within_its_cell(name):
    page = draw_page([entry(name)])

    edge = np.asarray(page)[:, -50:]
    assert (edge == 255).all()


def test_transparent_results_lie_on_a_checkerboard():
    clear = Entry("clear.png", np.zeros((60, 40, 4), np.uint8))

    assert {(255, 255, 255), (232, 232, 232)} <= colors_of(draw_page([clear]))


def test_no_results_make_no_sheet():
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])


def test_a_page_is_a_picture_of_a4():
    page = draw_page([entry()])

    assert isinstance(page, Image.Image)
    assert page.height / page.width == pytest.approx(2**0.5, abs=0.01)
