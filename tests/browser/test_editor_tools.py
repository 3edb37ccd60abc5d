"""Tests of the editor's tools: clicks, brush, crop and undo, and the message when nothing is found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests import photos
from tests.browser.conftest import Visitor, let_requests_out
from tests.browser.test_cutting_out import FINISHED, cut_out, downloaded, drag_box, wait_until_quiet
from tests.browser.test_editor import erase_the_middle, is_rendering, requests_to

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
CLICK_TOOL = '<button type="button" data-tool="points" aria-pressed="false">Click</button>'


def offer_clicks(page: Page) -> None:
    """Reload the page and add the click tool, which the site shows only for a model that accepts clicks."""

    def with_tool(route: Route) -> None:
        answer = route.fetch()
        boxes = '<button type="button" data-tool="boxes"'
        body = answer.text().replace(boxes, CLICK_TOOL + boxes, 1)
        route.fulfill(response=answer, body=body)

    page.route("**/jobs/*/", lambda route: route.fallback() if "/api/" in route.request.url else with_tool(route))
    page.reload()
    page.wait_for_selector(FINISHED)
    wait_until_quiet(page)


def middle_of(page: Page) -> tuple[float, float]:
    frame = page.locator("#boxes").bounding_box()
    assert frame is not None
    return frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2


def test_a_click_keeps_and_an_alt_click_removes(sign_up: Callable[..., Visitor], photo_files):
    visitor = sign_up()
    page = visitor.page
    cut_out(page, photo_files[1])
    offer_clicks(page)
    sent: list[dict] = []

    def refuse(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or "{}"))
        route.fulfill(status=409, json={"detail": "No."}, content_type="application/problem+json")

    page.route("**/again*", refuse)
    page.click("[data-tool=points]")
    x, y = middle_of(page)
    page.mouse.click(x, y)
    page.wait_for_selector("#boxes .keeps")
    page.keyboard.down("Alt")
    page.mouse.click(x + 60, y)
    page.keyboard.up("Alt")
    page.wait_for_selector("#boxes .removes")
    page.wait_for_selector("#stage-note.error")

    assert [point[2] for point in sent[-1]["points"]] == [1, 0]
    assert sent[-1]["method"] == "auto"
    page.keyboard.press("Control+z")
    page.wait_for_selector("#boxes .removes", state="detached")
    expect(page.locator("#boxes .keeps")).to_have_count(1)
    visitor.expect_complaint("status of 409")


def test_undo_and_redo_go_through_settings_and_strokes(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    with page.expect_response(is_rendering):
        page.locator("#t-erosion").fill("4")
    wait_until_quiet(page)
    erase_the_middle(page)

    for expected in ("4", "0"):
        page.keyboard.press("Control+z")
        expect(page.locator("#t-erosion")).to_have_value(expected)
    expect(page.locator("#undo")).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("#t-erosion")).to_have_value("4")
    with page.expect_response(is_rendering):
        page.click("#redo")
    wait_until_quiet(page)

    picture = downloaded(page, lambda: page.click("#download"))
    assert picture.getpixel((256, 256))[3] == 0


def test_undo_after_a_run_brings_the_result_before_back_without_a_new_run(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    address = page.url
    page.click("[data-tool=boxes]")
    with page.expect_response(lambda response: "/again" in response.url):
        drag_box(page, (100, 100, 300, 300))
    wait_until_quiet(page)
    runs = requests_to(page, "/again")

    page.keyboard.press("Control+z")
    expect(page.locator("#box-list li")).to_have_count(0)
    let_requests_out(page)
    wait_until_quiet(page)

    assert (page.url, runs) == (address, [])


def test_the_stroke_is_seen_before_the_server_answers(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    page.route("**/variants", lambda route: None)  # never gets a response
    page.click("[data-tool=brush]")
    page.click("[data-brush=restore]")
    expect(page.locator("#before")).to_be_visible()  # the pale copy of the original
    page.click("[data-brush=erase]")
    x, y = middle_of_brush(page)

    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y)

    expect(page.locator("#after")).to_have_class(re.compile("replaced"))
    alpha = page.evaluate(
        "() => { const canvas = document.getElementById('brush');"
        " return canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[3]; }"
    )
    assert alpha == 0
    expect(page.locator("#brush-ring")).to_be_visible()


def middle_of_brush(page: Page) -> tuple[float, float]:
    frame = page.locator("#brush").bounding_box()
    assert frame is not None
    return frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2


def test_brackets_change_the_brush_and_the_space_bar_moves_the_picture(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])
    page.click("[data-tool=brush]")
    before = int(page.locator("#brush-size").input_value())
    page.locator("#content").click(position={"x": 5, "y": 5})

    page.keyboard.press("]")
    larger = int(page.locator("#brush-size").input_value())
    frame = page.locator("#brush").bounding_box()
    x, y = middle_of_brush(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.down("Space")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y)
    page.mouse.up()
    page.keyboard.up("Space")
    moved = page.locator("#brush").bounding_box()

    assert larger > before
    assert frame is not None
    assert moved is not None
    assert moved["x"] == pytest.approx(frame["x"] + 50, abs=2)
    assert page.is_disabled("#undo")  # nothing was painted


def test_the_stage_shows_what_crop_leaves(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])

    page.check("input[name=crop]")
    page.wait_for_selector("#crop-frame:not([hidden])")
    wait_until_quiet(page)
    frame = page.evaluate(
        "() => { const { style } = document.getElementById('crop-frame');"
        " return [parseInt(style.width), parseInt(style.height)]; }"
    )

    assert tuple(frame) == downloaded(page, lambda: page.click("#download")).size


def let_jobs_look_unfinished(page: Page, wait: Callable[[Route], object]) -> None:
    """Let each page of a picture show a running job; `wait` handles the request with which it waits for the end."""

    def unfinished(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"status": "succeeded"', '"status": "running"'))

    page.route("**/api/jobs/*/?wait=20", wait)
    page.route("**/jobs/*/", lambda route: route.fallback() if "/api/" in route.request.url else unfinished(route))


def test_without_a_result_there_is_nothing_to_download(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    cut_out(page, photo_files[0])

    let_jobs_look_unfinished(page, lambda route: None)  # the wait never gets a response
    page.reload()

    page.wait_for_selector("#download:disabled")
    expect(page.locator("#share")).to_be_disabled()


def test_a_large_picture_is_shown_before_its_files_are_finished(sign_up: Callable[..., Visitor], tmp_path):
    page = sign_up().page
    large = tmp_path / "large.jpg"
    Image.fromarray(photos.astronaut()).resize((2400, 2400)).save(large)
    held: list[Route] = []
    let_jobs_look_unfinished(page, lambda route: held.append(route))
    page.set_input_files("#files", large)

    page.wait_for_selector("#stage:not(.is-empty) #after[src^='blob:']")
    width = page.eval_on_selector("#after", "async (image) => { await image.decode(); return image.naturalWidth; }")
    assert width == 1024
    expect(page.locator("#stage-text")).to_have_text("Finishing at full size…")
    expect(page.locator("#download")).to_be_disabled()

    for route in held:
        route.continue_()
    page.wait_for_selector("#after[src*='/files/']")
    expect(page.locator("#download")).to_be_enabled()
    expect(page.locator("#stage-note")).to_be_hidden()


def test_when_nothing_is_found_the_next_steps_are_offered(sign_up: Callable[..., Visitor], tmp_path):
    page = sign_up().page
    gray = tmp_path / "gray.png"
    Image.new("RGB", (300, 200), (128, 128, 128)).save(gray)
    page.set_input_files("#files", gray)
    page.wait_for_url("**/jobs/**")
    page.wait_for_selector("#stage-empty:not([hidden])")

    page.click("[data-next=boxes]")

    expect(page.locator("#stage")).to_have_attribute("data-tool", "boxes")
    expect(page.locator("#stage-empty")).to_be_hidden()
