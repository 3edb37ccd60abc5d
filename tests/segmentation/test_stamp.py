"""Tests that the ink of a stamp is separated from generated pages. The correct ink is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from segmentation import stamp
from segmentation.stamp import lift_stamp
from training.stamped_pages import INKS, plain_page, stamped_page

pytestmark = pytest.mark.slow


def alpha_error(found, page):
    """Return the mean absolute error, 0..1, of the alpha `found`, inside the box of the stamp on a generated page."""
    left, top, right, bottom = page.box
    return float(np.abs(found - page.alpha)[top:bottom, left:right].mean())


def overlap(found, page):
    ours, theirs = found > 0.5, page.alpha > 0.5
    return float((ours & theirs).sum() / (ours | theirs).sum())


@pytest.fixture(scope="module")
def lifted():
    """Return eighteen generated pages, each with the ink that was separated from it.

    The pages show each ink, paper and shape at least once. Some have print, and some are photographed.
    """
    pages = [stamped_page(seed) for seed in range(18)]
    return [(page, lift_stamp(page.rgb)) for page in pages]


def test_the_pages_cover_every_ink_paper_and_shape(lifted):
    described = " ".join(page.words for page, _ in lifted)
    for word in (
        "red",
        "blue",
        "violet",
        "white",
        "cream",
        "grey",
        "round",
        "oval",
        "square",
        "printed",
        "photographed",
    ):
        assert word in described


def test_alpha_is_near_the_ink_that_was_stamped(lifted):
    errors = {page.words: alpha_error(found.alpha, page) for page, found in lifted}
    assert np.mean(list(errors.values())) <= 0.03
    assert max(errors.values()) <= 0.06, errors


def test_the_stamp_has_the_shape_that_was_stamped(lifted):
    overlaps = {page.words: overlap(found.alpha, page) for page, found in lifted}
    assert np.mean(list(overlaps.values())) >= 0.85
    assert min(overlaps.values()) >= 0.68, overlaps  # small letters under print of the same size


def test_nothing_is_found_where_no_ink_is(lifted):
    for page, found in lifted:
        left, top, right, bottom = page.box
        elsewhere = found.alpha.copy()
        elsewhere[max(0, top - 6) : bottom + 6, max(0, left - 6) : right + 6] = 0
        assert elsewhere.mean() < 0.002, page.words


def test_the_ink_keeps_its_own_colour_without_paper_print_and_shadow(lifted):
    for page, found in lifted:
        colour = np.median(found.colour[found.alpha > 0.5], axis=0)
        true = np.array(INKS[page.words.split()[0]], float)
        hue, true_hue = (colour - colour.min()) / np.ptp(colour), (true - true.min()) / np.ptp(true)
        np.testing.assert_allclose(hue, true_hue, atol=0.2, err_msg=page.words)
        assert np.abs(colour - true).max() < 60, page.words


@pytest.mark.parametrize("seed", range(3))
def test_a_printed_page_without_a_stamp_gives_nothing(seed):
    assert lift_stamp(plain_page(seed)).alpha.max() < 0.3


def flat_page(ink, *, paper=(255, 255, 255)):
    """Return a clean page with a filled square of ink, and a bar of black print across it, (200, 300, 3) uint8."""
    rgb = np.full((200, 300, 3), paper, np.uint8)
    rgb[60:140, 100:180] = ink
    rgb[95:105, 40:260] = (20, 20, 20)
    return rgb


@pytest.mark.parametrize("ink", [(200, 30, 40), (30, 60, 180), (110, 50, 160), (215, 60, 30), (20, 140, 80)])
def test_clean_ink_is_opaque_in_its_own_colour_and_print_is_left_out(ink):
    alpha, colour = lift_stamp(flat_page(ink))
    assert alpha[65:90, 105:175].min() > 0.97
    np.testing.assert_allclose(colour[70, 120], ink, atol=4)
    assert alpha[:55].max() < 0.02
    assert alpha[96:104, 45:90].max() < 0.05
    assert alpha.dtype == np.float32
    assert colour.dtype == np.uint8


def test_a_thin_layer_of_ink_is_translucent():
    rgb = flat_page((200, 30, 40))
    rgb[60:140, 140:180] = (255 + np.array([200, 30, 40])) // 2
    alpha = lift_stamp(rgb).alpha
    assert alpha[70, 120] > 0.97
    assert alpha[70, 160] == pytest.approx(0.5, abs=0.05)


def test_the_lifted_ink_laid_on_its_paper_is_the_picture_again():
    rgb = flat_page((110, 50, 160), paper=(244, 236, 214))
    alpha, colour = lift_stamp(rgb)
    again = alpha[..., None] * colour + (1 - alpha[..., None]) * np.array([244, 236, 214])
    np.testing.assert_allclose(again[60:90, 60:240], rgb[60:90, 60:240], atol=8)


def test_two_inks_on_one_page_keep_their_colours():
    rgb = flat_page((200, 30, 40))
    rgb[150:190, 200:280] = (30, 60, 180)
    alpha, colour = lift_stamp(rgb)
    assert alpha[70:90, 110:170].min() > 0.97
    assert alpha[155:185, 205:275].min() > 0.97
    np.testing.assert_allclose(colour[70, 120], (200, 30, 40), atol=6)
    np.testing.assert_allclose(colour[170, 240], (30, 60, 180), atol=6)


def test_a_coffee_stain_is_no_ink():
    rgb = flat_page((30, 60, 180))
    cv2.circle(rgb, (240, 50), 30, (196, 158, 104), -1)
    alpha = lift_stamp(rgb).alpha
    assert alpha[30:70, 220:260].max() < 0.05
    assert alpha[65:90, 105:175].min() > 0.97


def test_strips_of_a_tall_page_join_without_a_seam(monkeypatch):
    page = stamped_page(0).rgb
    whole = lift_stamp(page)
    monkeypatch.setattr(stamp, "STRIP_ROWS", 64)
    pieces = lift_stamp(page)
    np.testing.assert_allclose(pieces.alpha, whole.alpha, atol=2e-3)
    np.testing.assert_array_equal(pieces.colour, whole.colour)


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (300, 2, 3)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_degenerate_pictures_have_no_ink(shape, level):
    alpha, colour = lift_stamp(np.full(shape, level, np.uint8))
    assert alpha.shape == shape[:2]
    assert colour.shape == shape
    assert alpha.max() == 0.0
