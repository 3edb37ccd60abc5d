"""Tests of various pages: API keys, language, theme, small screens, and the size of the start page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Visitor, press_and_load
from tests.browser.test_accessibility import PAGES
from tests.browser.test_cutting_out import cut_out
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
FIRST_PAGE_BYTES = 150_000


def test_no_page_is_wider_than_a_phone(sign_up: Callable[..., Visitor], photo_files):
    page = sign_up(viewport=PHONE, has_touch=True, is_mobile=True).page
    cut_out(page, photo_files[0])
    addresses = [page.url, *PAGES]

    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address


def test_a_key_made_on_the_page_opens_the_api(sign_up: Callable[..., Visitor], live_stack: Stack):
    page = sign_up().page
    page.goto("/keys/")
    page.fill("input[name=name]", "Shop")
    page.click("button[value=create]")
    secret = page.locator("#secret").inner_text()

    answer = requests.get(f"{live_stack.base_url}/api/jobs/", headers={"X-API-KEY": secret}, timeout=30)

    assert answer.status_code == 200


def test_a_secret_that_cannot_be_copied_is_selected(sign_up: Callable[..., Visitor]):
    page = sign_up().page
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.goto("/keys/")
    page.fill("input[name=name]", "Shop")
    press_and_load(page, page.locator("button[value=create]"))
    page.click("[data-copy='#secret']")

    expect(page.locator("[data-copy='#secret']")).to_have_text("Press Ctrl+C to copy")
    assert page.evaluate("() => getSelection().toString()") == page.locator("#secret").inner_text()


def test_the_language_is_switched_to_chinese(sign_up: Callable[..., Visitor]):
    page = sign_up().page

    page.click("summary[aria-label='Language and theme']")
    page.click("button[value='zh-hans']")
    page.wait_for_selector("html[lang='zh-hans']")

    expect(page.locator("nav")).to_contain_text("抠图")


def test_a_chosen_theme_stays(sign_up: Callable[..., Visitor]):
    page = sign_up(color_scheme="light").page

    page.click("summary[aria-label='Language and theme']")
    page.click("[data-theme-value=dark]")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    page.goto("/gallery/")

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_first_page_is_light_and_nothing_comes_from_elsewhere(visit: Callable[..., Visitor], live_stack: Stack):
    page = visit().page
    finished, addresses = [], []
    page.on("requestfinished", lambda request: finished.append(request))
    page.on("request", lambda request: addresses.append(request.url))

    page.goto("/", wait_until="networkidle")

    assert 0 < sum(request.sizes()["responseBodySize"] for request in finished) < FIRST_PAGE_BYTES
    assert all(address.startswith(live_stack.base_url) for address in addresses)


def test_nothing_on_the_first_page_moves_while_it_loads(sign_up: Callable[..., Visitor]):
    page = sign_up().page
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => list.getEntries().forEach((entry) => {"
        " window.shift += entry.hadRecentInput ? 0 : entry.value; }))"
        ".observe({ type: 'layout-shift', buffered: true });"
    )

    page.goto("/", wait_until="networkidle")

    assert page.evaluate("window.shift") < 0.1
