"""Tests of the editor's tool for people: find people, keep or remove them, and go back to the previous result."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, let_requests_out
from tests.browser.test_cutting_out import cut_out, drag_box, wait_until_quiet
from tests.browser.test_editor import alpha_in_the_middle, erase_the_middle, is_rendering, is_run, requests_to

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


def find_people(page: Page) -> None:
    page.click("[data-tool=people]")
    with page.expect_response(is_run):
        page.click("#find-people")
    wait_until_quiet(page)


def test_a_person_is_dropped_and_kept_again_by_a_click(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    find_people(page)
    person = page.locator("#boxes g").first

    for state in ("false", "true"):
        with page.expect_response(is_rendering) as waiting:
            person.click()
        assert waiting.value.status == 200
        expect(person).to_have_attribute("aria-checked", state)
        wait_until_quiet(page)


@pytest.mark.parametrize("where", ["#boxes g", "#people-list input"])
def test_the_space_bar_drops_and_keeps_a_person_without_losing_its_place(
    sign_up: Callable[..., Visitor], photo_files, where: str
):
    page = sign_up().page
    cut_out(page, photo_files[0])
    find_people(page)
    page.locator(where).first.focus()

    for state in ("false", "true"):
        with page.expect_response(is_rendering):
            page.keyboard.press("Space")
        expect(page.locator("#boxes g").first).to_have_attribute("aria-checked", state)
        expect(page.locator("#people-list input").first).to_be_checked(checked=state == "true")
        wait_until_quiet(page)


def test_dragging_among_people_starts_no_run(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    find_people(page)
    runs, address = requests_to(page, "/again"), page.url

    drag_box(page, (5, 5, 300, 300))
    drag_box(page, (200, 200, 400, 450))
    let_requests_out(page)
    wait_until_quiet(page)

    assert (runs, page.url) == ([], address)


def test_a_button_that_goes_away_hands_the_keyboard_to_the_tool_in_use(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    page.click("[data-tool=people]")

    for button in ("#find-people", "#back"):
        expect(page.locator(button)).to_be_visible()
        page.focus(button)
        page.keyboard.press("Enter")
        page.wait_for_function("button => document.querySelector(button).offsetParent === null", arg=button)
        wait_until_quiet(page)
        expect(page.locator("button[data-tool=people]")).to_be_focused()


def test_a_double_click_on_people_starts_one_run(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    page.click("[data-tool=people]")
    runs = requests_to(page, "/again")

    with page.expect_response(is_run):
        page.dblclick("#find-people")
    wait_until_quiet(page)

    assert len(runs) == 1


def test_people_are_looked_for_when_asked_and_the_result_before_comes_back(
    sign_up: Callable[..., Visitor], photo_files
):
    page = sign_up().page
    cut_out(page, photo_files[0])
    address, runs = page.url, requests_to(page, "/again")
    erase_the_middle(page)

    page.click("[data-tool=people]")
    let_requests_out(page)
    assert (runs, page.is_hidden("#back")) == ([], True)
    find_people(page)
    assert page.url == address  # a run is a version of the picture
    assert alpha_in_the_middle(page) == 0
    page.click("#back")
    wait_until_quiet(page)

    expect(page.locator("#people-list li")).to_have_count(0)
    expect(page.locator("#back")).to_be_hidden()
    assert page.url == address
    assert alpha_in_the_middle(page) == 0
