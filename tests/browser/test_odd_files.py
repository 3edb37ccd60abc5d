"""Tests that the page shows pictures that browsers cannot read, and lets every file reach the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.browser.test_cutting_out import cut_out

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
FILES = Path(__file__).parents[1] / "cases" / "files"


def shown_color(page: Page, selector: str) -> list[int]:
    """Return red, green and blue at the ball's place of a displayed image; all 0 if it is broken."""
    return page.evaluate(
        """async (selector) => {
            const image = document.querySelector(selector);
            try { await image.decode(); } catch { return [0, 0, 0]; }
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            const [x, y] = [canvas.width / 2, (canvas.height * 125) / 240];
            return [...context.getImageData(x, y, 1, 1).data].slice(0, 3);
        }""",
        selector,
    )


@pytest.mark.parametrize("name", ["page_before.heic", "page_before.tif"])
def test_an_original_that_browsers_cannot_read_is_shown_in_the_editor(sign_up: Callable[..., Visitor], name: str):
    page = sign_up().page

    cut_out(page, FILES / name)
    page.click("[data-tool=boxes]")

    for selector in ("#before", "#before-second"):
        color = shown_color(page, selector)
        assert max(abs(value - right) for value, right in zip(color, (197, 99, 17), strict=True)) < 8, (selector, color)


def test_the_tray_shows_no_broken_image(sign_up: Callable[..., Visitor]):
    page = sign_up().page

    page.set_input_files("#files", [FILES / "page_before.heic", FILES / "page_before.tif", FILES / "IMG_0001"])
    page.wait_for_selector("#go:not([disabled])")

    expect(page.locator(".tray-item")).to_have_count(3)
    expect(page.locator(".tray-item.failed")).to_have_count(0)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.tray-item img')].every((image) => image.naturalWidth)"
    )


def test_no_chooser_of_photos_hides_files_by_their_type(sign_up: Callable[..., Visitor]):
    page = sign_up().page
    for path, chooser in (("/", "#files"), ("/recipes/", "#background-file")):
        page.goto(path)
        expect(page.locator(chooser)).to_have_count(1)
        assert page.locator("input[type=file][accept*='image']").count() == 0, path
