"""Tests of the editor's requests, and of its behaviour when responses are late, repeated or missing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, Response, Route, expect

from tests.browser.conftest import PATIENCE_MS, Visitor, let_requests_out
from tests.browser.test_cutting_out import boxes_that_arrived, cut_out, downloaded, drag_box, wait_until_quiet
from tests.stack import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


def is_run(response: Response) -> bool:
    return "/again" in response.url


def is_rendering(response: Response) -> bool:
    return "/variants" in response.url


def requests_to(page: Page, part: str) -> list[str]:
    """Return a list to which the URL of each later request of the page is added if it contains `part`."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if part in request.url else None)
    return sent


def hold_first(page: Page, pattern: str) -> list[Route]:
    """Hold the first request whose URL matches `pattern`, so that the server does not receive it.

    Return a list. It is empty until the page sends this request, and then contains the request.
    """
    held: list[Route] = []

    def decide(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(pattern, decide)
    return held


def held_by(page: Page, held: list[Route]) -> Route:
    """Wait until `hold_first` holds a request, and return it. held: the list that `hold_first` has returned."""
    wait_for(lambda: page.evaluate("true") and bool(held), timeout_s=PATIENCE_MS / 1000, what="no request to delay")
    return held[0]


def answer_with(route: Route, status: str) -> None:
    """Answer a held request for a job with the server's response, in which the first picture gets another status."""
    answer = route.fetch()
    job = answer.json()
    job["images"][0]["status"] = status
    route.fulfill(response=answer, json=job)


def erase_the_middle(page: Page) -> None:
    page.click("[data-tool=brush]")
    frame = page.locator("#brush").bounding_box()
    with page.expect_response(is_rendering):
        page.mouse.click(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    wait_until_quiet(page)


def alpha_in_the_middle(page: Page) -> int:
    picture = downloaded(page, lambda: page.click("#download"))
    return picture.getpixel((picture.width // 2, picture.height // 2))[3]


def test_settings_made_while_the_model_runs_stay(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    page.click("[data-tool=boxes]")
    page.check("input[name=crop]")
    held = hold_first(page, "**/again*")

    with page.expect_request("**/again*"):
        drag_box(page, (100, 50, 350, 450))
    page.locator("#t-erosion").fill("3")
    with page.expect_response(is_run):
        held_by(page, held).continue_()
    wait_until_quiet(page)

    expect(page.locator("#after")).to_have_attribute("src", re.compile("^blob:"))  # rendered with them
    assert (page.locator("#t-erosion").input_value(), page.is_checked("input[name=crop]")) == ("3", True)


def test_a_run_is_cancelled_and_the_result_before_it_stays(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    address = page.url
    page.route("**/again*", lambda route: answer_with(route, "running"))
    page.route("**/cancel", lambda route: route.fulfill(json={}))
    waiting = hold_first(page, "**/api/jobs/*/?wait=20")

    page.click("[data-tool=boxes]")
    drag_box(page, (100, 100, 300, 300))
    with page.expect_request("**/cancel"):
        page.click("#cancel")
    answer_with(held_by(page, waiting), "canceled")
    page.wait_for_selector("#stage-note.error")

    expect(page.locator("#stage-text")).to_have_text("This job was cancelled.")
    expect(page.locator("#cancel")).to_be_hidden()
    assert page.url == address
    assert downloaded(page, lambda: page.click("#download")).size == (512, 512)


def test_where_there_is_no_clipboard_the_link_is_shown_and_made_once(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    cut_out(page, photo_files[0])
    made = requests_to(page, "/variants")

    for _ in range(2):
        page.click("#share")
        page.wait_for_selector("#link-dialog[open]")
        page.keyboard.press("Escape")
        expect(page.locator("#link-dialog")).to_be_hidden()
    page.click("#copy")

    expect(page.locator(".toast")).to_contain_text("HTTPS")
    assert len(made) == 1
    assert "signature=" in page.input_value("#link")
    assert page.evaluate("() => { const field = document.getElementById('link'); return field.selectionEnd; }") > 20


def test_a_job_that_stored_no_cutout_is_shown(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    photo = {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo_files[1].read_bytes()}
    answer = page.request.post(
        "/api/jobs/?wait=30", multipart={"image": photo, "outputs": "mask"}, headers={"X-CSRFToken": token}
    )

    page.goto(f"/jobs/{answer.json()['id']}/")
    wait_until_quiet(page)

    expect(page.locator("#after")).to_have_attribute("src", re.compile("^blob:"))


def test_with_a_picture_behind_copies_and_downloads_are_what_is_seen(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    page.add_init_script(
        "navigator.clipboard.write = async ([item]) => {"
        " const picture = await createImageBitmap(await item.getType('image/png'));"
        " window.copied = [picture.width, picture.height]; }"
    )
    cut_out(page, photo_files[1])
    page.click("[data-color='#ffffff']")

    with page.expect_response("**/api/backgrounds/"):
        page.set_input_files("#finish-file", photo_files[2])
    page.wait_for_selector("#finish-picture", state="visible")
    page.check("input[name=crop]")
    wait_until_quiet(page)
    picture = downloaded(page, lambda: page.click("#download"))
    page.click("#copy")
    page.wait_for_function("() => window.copied")

    assert picture.size != Image.open(photo_files[1]).size
    assert picture.mode == "RGB"  # nothing is transparent
    assert len(picture.getcolors(2**24)) > 1000  # no plain white behind
    assert page.evaluate("() => window.copied") == list(picture.size)


def test_a_box_is_added_moved_and_resized_by_the_keyboard(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    runs = requests_to(page, "/again")
    page.click("[data-tool=boxes]")

    page.click("#box-add")
    expect(page.locator("#box-list li")).to_have_count(1)
    let_requests_out(page)
    assert runs == []
    with page.expect_response(is_run):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+Alt+ArrowDown")
        page.keyboard.press("Enter")
    expect(page.locator("#box-list li")).to_contain_text("129, 128 – 385, 394")
    wait_until_quiet(page)

    what = "the box of the last key is not the newest version's"
    wait_for(lambda: boxes_that_arrived(page) == [[129, 128, 385, 394]], timeout_s=30, what=what)


def test_two_fingers_zoom_side_by_side_without_throwing_the_picture(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    page.click("[data-tool=side]")

    before, pinched, after = page.evaluate(
        """() => {
            const pane = document.getElementById('pane').getBoundingClientRect();
            const [x, y] = [pane.left + pane.width / 2, pane.top + pane.height / 2];
            const point = (kind, pointerId, dx) => document.getElementById('view').dispatchEvent(
                new PointerEvent(kind, { pointerId, clientX: x + dx, clientY: y, bubbles: true }));
            const middle = () => {
                const frame = document.getElementById('view').getBoundingClientRect();
                return frame.left + frame.width / 2;
            };
            const found = [middle()];
            point('pointerdown', 1, -50);
            point('pointerdown', 2, 50);
            for (let way = 60; way <= 100; way += 10) { point('pointermove', 1, -way); point('pointermove', 2, way); }
            point('pointerup', 2, 100);
            point('pointermove', 1, -160);
            point('pointerup', 1, -160);
            found.push(middle());
            point('pointerdown', 3, 0);
            point('pointercancel', 3, 0);
            point('pointermove', 3, 90);
            return [...found, middle()];
        }"""
    )

    assert abs(pinched - before) < 2
    assert after == pinched


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
        held_by(page, held).continue_()
    late.value.finished()
    let_requests_out(page)  # the page has read the late response now

    what = "the last wish is not the version that is shown"
    wait_for(lambda: len(boxes_that_arrived(page, only_shown=True)) == 2, timeout_s=30, what=what)


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
        held_by(page, held).continue_()
    page.wait_for_selector("#after[src^='blob:']")

    assert [address for address in failed if "/variants" in address] == []


def test_a_rendering_that_nothing_answers_is_not_said_to_be_tried_again(sign_up: Callable[..., Visitor], photo_files):
    visitor = sign_up()
    page = visitor.page
    cut_out(page, photo_files[0])
    page.route("**/variants", lambda route: route.abort())

    page.locator("#t-erosion").fill("5")
    page.wait_for_selector("#stage-note.error")

    expect(page.locator("#stage-text")).to_have_text("The connection was lost. Try again.")
    visitor.expect_complaint("ERR_FAILED")


def test_a_picture_is_deleted_with_the_versions_that_the_model_made(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    page.click("[data-tool=boxes]")
    with page.expect_response(is_run):
        drag_box(page, (100, 100, 300, 300))
    wait_until_quiet(page)

    page.click(".panel-go details summary")
    page.click("#delete")
    page.click("dialog button.danger[value=yes]")
    page.wait_for_url("**/gallery/")

    expect(page.locator(".thumb")).to_have_count(0)


def test_a_page_that_back_shows_again_can_be_submitted(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    page.set_input_files("#files", photo_files)
    page.wait_for_selector("#go:not([disabled])")
    page.route("**/api/jobs/", lambda route: None)  # never gets a response
    page.click("#go")
    expect(page.locator("#go")).to_be_disabled()

    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")

    expect(page.locator("#go")).to_be_enabled()
