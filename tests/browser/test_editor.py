"""What the editor asks the server for, and what it makes of answers that come late, twice or not at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Response, Route

from tests.browser.conftest import Visitor
from tests.browser.test_cutting_out import boxes_that_arrived, cut_out, drag_box, wait_until_quiet

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


def is_run(response: Response) -> bool:
    return "/again" in response.url


def is_rendering(response: Response) -> bool:
    return "/variants" in response.url


def requests_to(page: Page, part: str) -> list[str]:
    """Collect from now on the addresses with `part` that the page sends to."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if part in request.url else None)
    return sent


def hold_first(page: Page, pattern: str) -> list[Route]:
    """Let only the first request to `pattern` wait until the test continues it."""
    held: list[Route] = []

    def decide(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(pattern, decide)
    return held


def find_people(page: Page) -> None:
    with page.expect_response(is_run):
        page.click("[data-tool=people]")
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
        assert person.get_attribute("aria-checked") == state
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
        assert page.locator("#boxes g").first.get_attribute("aria-checked") == state
        assert page.locator("#people-list input").first.is_checked() == (state == "true")
        wait_until_quiet(page)


def test_dragging_among_people_starts_no_run(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    find_people(page)
    runs, address = requests_to(page, "/again"), page.url

    drag_box(page, (5, 5, 300, 300))
    drag_box(page, (200, 200, 400, 450))
    wait_until_quiet(page)

    assert (runs, page.url) == ([], address)


def test_a_double_click_on_people_starts_one_run(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    runs = requests_to(page, "/again")

    with page.expect_response(is_run):
        page.dblclick("[data-tool=people]")
    wait_until_quiet(page)

    assert len(runs) == 1


def test_of_two_quick_boxes_the_last_wish_is_shown_whichever_answer_comes_last(
    sign_up: Callable[..., Visitor], photo_files
):
    page = sign_up().page
    cut_out(page, photo_files[0])
    page.click("[data-tool=boxes]")
    held = hold_first(page, "**/again*")

    drag_box(page, (50, 50, 150, 150))
    with page.expect_response(is_run):
        drag_box(page, (300, 300, 450, 450))
    wait_until_quiet(page)
    with page.expect_response(is_run) as late:
        held[0].continue_()
    late.value.finished()
    page.evaluate("() => fetch(location.href).then((answer) => answer.text())")  # by then the late answer is read

    assert len(boxes_that_arrived(page)) == 2


def test_a_download_leaves_the_rendering_for_the_stage_alone(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    held = hold_first(page, "**/variants")
    with page.expect_request("**/variants"):
        page.locator("#t-erosion").fill("5")

    for _ in range(2):
        with page.expect_download():
            page.click("#download")
    with page.expect_response(is_rendering):
        held[0].continue_()
    page.wait_for_selector("#after[src^='blob:']")

    assert [address for address in failed if "/variants" in address] == []


def test_a_rendering_that_nothing_answers_is_not_said_to_be_tried_again(sign_up: Callable[..., Visitor], photo_files):
    visitor = sign_up()
    page = visitor.page
    cut_out(page, photo_files[0])
    page.route("**/variants", lambda route: route.abort())

    page.locator("#t-erosion").fill("5")
    page.wait_for_selector("#stage-note.error")

    assert page.locator("#stage-text").inner_text() == "The connection was lost. Try again."
    visitor.complaints.clear()  # the browser's own about the request


def test_after_a_new_run_the_picture_that_is_shown_is_deleted(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    before = page.url
    page.click("[data-tool=boxes]")
    with page.expect_response(is_run):
        drag_box(page, (100, 100, 300, 300))
    wait_until_quiet(page)
    page.on("dialog", lambda dialog: dialog.accept())

    page.click(".panel-go details summary")
    page.click("#delete")
    page.wait_for_url("**/gallery/")

    assert page.locator(".thumb").count() == 1
    assert page.goto(before).status == 200


def test_a_page_that_back_shows_again_can_be_submitted(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    page.set_input_files("#files", photo_files)
    page.wait_for_selector("#go:not([disabled])")
    page.route("**/api/jobs/", lambda route: None)  # never answered
    page.click("#go")
    assert page.is_disabled("#go")

    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")

    assert page.is_enabled("#go")
