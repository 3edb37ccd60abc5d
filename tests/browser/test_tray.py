"""Tests of the start page with chosen files, when the network, the server or the user causes a problem."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visitor, let_requests_out
from tests.browser.test_editor import held_by, hold_first

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
UPLOADS = "**/api/uploads/"


def choose(page: Page, files: list[Path]) -> None:
    page.set_input_files("#files", files)
    page.wait_for_selector(f".tray-item:nth-child({len(files)})")


def wait_until_ready(page: Page, count: int) -> None:
    page.wait_for_function(f"() => document.getElementById('go-text').textContent.includes('{count} pictures')")
    page.wait_for_selector("#go:not([disabled])")


def test_a_lost_connection_only_delays_the_sending(sign_up: Callable[..., Visitor], photo_files):
    visitor = sign_up()
    page = visitor.page
    page.route(UPLOADS, lambda route: route.abort())
    choose(page, photo_files[:2])
    page.wait_for_function("() => document.getElementById('upload-status').textContent.includes('continues in')")
    assert page.locator(".tray-item.failed").count() == 0
    expect(page.locator("#go")).to_be_disabled()

    page.unroute(UPLOADS)
    wait_until_ready(page, 2)

    expect(page.locator("#upload-status")).to_have_text("")
    visitor.expect_complaint("ERR_FAILED")


def test_a_refusal_for_an_hour_stops_the_sending_until_it_is_tried_again(
    sign_up: Callable[..., Visitor], photo_files, tmp_path
):
    files = [tmp_path / f"{number}.jpg" for number in range(8)]
    for file in files:
        file.write_bytes(photo_files[1].read_bytes())
    visitor = sign_up()
    page = visitor.page
    asked = itertools.count(1)
    refusal = json.dumps({"detail": "The team's quota is used up.", "code": "quota_exceeded"})

    def refuse(route: Route) -> None:
        next(asked)
        route.fulfill(status=429, headers={"Retry-After": "3600"}, content_type="application/json", body=refusal)

    page.route(UPLOADS, refuse)
    choose(page, files)
    page.wait_for_function("() => document.querySelectorAll('.tray-item.failed').length === 8")
    assert next(asked) <= 4  # only the requests that were in progress at the same time

    page.unroute(UPLOADS)
    page.click("#retry")
    wait_until_ready(page, 8)
    visitor.expect_complaint("status of 429")


def test_who_is_signed_out_meanwhile_is_told_so_and_goes_on(sign_up: Callable[..., Visitor], photo_files):
    visitor = sign_up()
    page = visitor.page
    session = next(cookie for cookie in page.context.cookies() if cookie["name"] == "sessionid")
    page.context.clear_cookies(name="sessionid")
    choose(page, photo_files[:2])
    page.wait_for_function("() => document.querySelectorAll('.tray-item.failed').length === 2")
    expect(page.locator(".tray-item .state").first).to_contain_text("signed out")

    page.context.add_cookies([session])
    page.click("#retry")
    wait_until_ready(page, 2)
    visitor.expect_complaint("status of 401")


def test_files_beyond_a_batch_are_told_of(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    page.route("**/api/uploads/", lambda route: None)  # nothing is sent: only the number of files matters here
    limit = page.evaluate("JSON.parse(document.getElementById('limits').textContent).max_images")
    page.evaluate(
        """(count) => {
            const files = new DataTransfer();
            for (let number = 0; number < count; number += 1) files.items.add(new File(["text"], `${number}.jpg`));
            const chooser = document.getElementById("files");
            chooser.files = files.files;
            chooser.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        limit + 3,
    )

    page.locator("#upload-status").filter(has_text="3 more were left out").wait_for()
    expect(page.locator(".tray-item")).to_have_count(limit)


def test_escape_in_the_dialog_for_a_link_fetches_nothing(sign_up: Callable[..., Visitor]):
    visitor = sign_up()
    page = visitor.page
    page.route("**/api/jobs/", lambda route: route.fulfill(status=422, json={"detail": "This URL may not be fetched."}))
    page.click("#choose-url")
    page.fill("#url", "http://127.0.0.1/private.jpg")
    with page.expect_response("**/api/jobs/"):
        page.click("#url-dialog button[value=ok]")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/api/jobs/" in request.url else None)

    page.click("#choose-url")
    page.fill("#url", "http://127.0.0.1/other.jpg")
    page.keyboard.press("Escape")
    page.wait_for_selector("#url-dialog", state="hidden")
    let_requests_out(page)

    assert sent == []
    visitor.expect_complaint("status of 422")


def test_files_chosen_before_the_script_is_there_are_not_lost(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up().page
    held = hold_first(page, "**/js/upload*.js")
    with page.expect_request("**/js/upload*.js"):
        page.goto("/", wait_until="commit")

    page.set_input_files("#files", photo_files)
    expect(page.locator(".tray-item")).to_have_count(0)
    held_by(page, held).continue_()

    page.wait_for_selector(".tray-item >> nth=2")
    page.wait_for_selector("#go:not([disabled])")


def test_settings_are_saved_applied_and_forgotten_without_losing_the_pictures(
    sign_up: Callable[..., Visitor], photo_files
):
    page = sign_up().page
    choose(page, photo_files[:2])
    wait_until_ready(page, 2)
    page.click("#parameters summary")
    page.check("#p-mask")
    page.fill("#p-name", "With masks")
    page.click("#p-save")
    page.wait_for_selector("[data-own='With masks'][aria-pressed=true]")

    page.click("[data-own='With masks']")
    expect(page.locator("#p-mask")).not_to_be_checked()
    page.click("[data-own='With masks']")
    expect(page.locator("#p-mask")).to_be_checked()

    page.click("#p-forget")
    page.wait_for_selector("[data-own='With masks']", state="detached")
    expect(page.locator(".tray-item")).to_have_count(2)
