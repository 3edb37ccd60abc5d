"""Tests of the first pages that a visitor sees: the welcome page, the samples, and the buttons on touch devices."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visitor
from tests.browser.test_cutting_out import FINISHED, cut_out

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


def split_of(page: Page) -> str:
    return page.evaluate(
        "() => getComputedStyle(document.querySelector('[data-photo=portrait]')).getPropertyValue('--split')"
    )


def test_the_welcome_page_shows_the_chosen_photo_on_the_chosen_background(visit: Callable[..., Visitor]):
    page = visit(reduced_motion="reduce").page
    page.goto("/")
    expect(page.locator("[data-photo=portrait]")).to_be_visible()

    page.check("input[value=cat]")
    page.check("input[value=white]")

    expect(page.locator("[data-photo=cat]")).to_be_visible()
    expect(page.locator("[data-photo=portrait]")).to_be_hidden()
    drawn = page.evaluate("() => getComputedStyle(document.querySelector('[data-photo=cat]')).backgroundImage")
    assert drawn.startswith("linear-gradient(rgb(255, 255, 255)")


def test_nothing_moves_for_those_who_want_no_motion(visit: Callable[..., Visitor]):
    moving, still = visit().page, visit(reduced_motion="reduce").page
    for page in (moving, still):
        page.goto("/")

    animations = "() => document.querySelector('[data-photo=portrait]').getAnimations().length"
    assert (moving.evaluate(animations), still.evaluate(animations)) == (1, 0)
    assert split_of(still) == "50%"


def test_the_typeface_is_the_sites_own(visit: Callable[..., Visitor]):
    page = visit().page
    page.goto("/", wait_until="networkidle")

    page.wait_for_function("() => document.fonts.check('16px \"Instrument Sans\"')")


def test_a_sample_is_cut_out_by_one_click(sign_up: Callable[..., Visitor]):
    page = sign_up().page

    page.click("[data-sample] >> nth=0")
    page.wait_for_url("**/jobs/**")
    page.wait_for_selector(FINISHED)

    expect(page.locator("h1")).to_have_text("cat.webp")


def test_a_phone_is_not_offered_to_drop_or_paste(visit: Callable[..., Visitor], sign_up: Callable[..., Visitor]):
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    stranger = visit(**phone).page
    stranger.goto("/")
    assert "Drop" not in stranger.locator("main").inner_text()
    page = sign_up(**phone).page

    text = page.locator("#drop").inner_text()

    assert "Choose a picture" in text
    assert "Drop" not in text
    assert "paste" not in text


def test_a_question_mark_opens_the_list_of_shortcuts(sign_up: Callable[..., Visitor]):
    page = sign_up().page

    page.keyboard.press("?")

    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()


def test_shift_selects_a_row_of_pictures(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    for file in photo_files:
        cut_out(page, file)
    page.goto("/gallery/")

    page.locator(".pick").nth(0).click(force=True)
    page.locator(".pick").nth(2).click(modifiers=["Shift"], force=True)
    expect(page.locator("#selection-count")).to_have_text("3 selected")
    page.click("#selection-none")
    page.locator(".pick").nth(1).click(force=True)
    expect(page.locator("#selection-count")).to_have_text("1 selected")
    page.click("#selection-all")
    expect(page.locator("#selection-count")).to_have_text("3 selected")


def test_a_picture_is_deleted_after_a_question_in_the_sites_own_dialog(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])

    page.click("summary[aria-label='More files']")
    page.click("#delete")
    page.click("dialog[open] button[value='']")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#stage")).to_be_visible()
    page.click("summary[aria-label='More files']")
    page.click("#delete")
    page.click("dialog[open] button[value=yes]")

    page.wait_for_url("**/gallery/")


def test_a_shared_link_opens_a_page_with_the_picture(sign_up: Callable[..., Visitor], photo_files):
    visitor = sign_up()
    page = visitor.page
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    cut_out(page, photo_files[1])
    page.click("#share")
    page.wait_for_selector("#link-dialog[open]")

    page.goto(page.input_value("#link"))

    expect(page.locator("h1")).to_have_text("cat.jpg")
    page.wait_for_function("() => document.querySelector('.shared-picture img').naturalWidth > 0")
    wait = page.goto(page.url.split("?")[0])
    assert wait is not None
    assert wait.status == 410
    assert "expired" in page.locator("h1").inner_text()
    visitor.expect_complaint("status of 410")


def test_the_filters_of_the_gallery_do_not_overlap(sign_up: Callable[..., Visitor]):
    page = sign_up(viewport={"width": 1440, "height": 900}).page
    page.goto("/gallery/")

    frames = page.eval_on_selector_all(
        "#filters .field > :not(label)",
        "fields => fields.map((field) => { const { left, right, top } = field.getBoundingClientRect();"
        " return [top, left, right]; })",
    )

    rows = sorted((round(top / 20), left, right) for top, left, right in frames)
    assert all(one[2] <= other[1] for one, other in itertools.pairwise(rows) if one[0] == other[0])
