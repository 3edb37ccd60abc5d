"""Fixtures of the browser tests: functions that open the running site in Chromium, with or without a new user."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from redis import Redis

from mattingsite.data_folder import broker_socket
from tests import photos
from tests.cast import PASSWORD
from tests.chromium import launched
from tests.stack import Stack

DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 800}
PATIENCE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Visitor:
    """A page in the browser, and the error messages in its console. An unexpected error message fails the test.

    `expect_complaint` names the expected messages.
    """

    page: Page
    complaints: list[str]
    expected: list[str]
    name: str = ""

    def expect_complaint(self, text: str) -> None:
        """Accept error messages in the console that contain `text`, including earlier ones."""
        self.expected.append(text)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, live_stack: Stack) -> Iterator[Callable[..., Visitor]]:
    """Yield a function that opens the site without signing in and returns the Visitor.

    An error message in the console, also from the content security policy, fails the test at its end.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    expected: list[str] = []

    def open_page(**options: object) -> Visitor:
        settings = {"viewport": DESKTOP, "accept_downloads": True, "locale": "en", "base_url": live_stack.base_url}
        context = chromium.new_context(**(settings | options))
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        return Visitor(page, complaints, expected)

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in complaints if not any(part in text for part in expected)] == []


def press_and_load(page: Page, button: Locator) -> None:
    """Press a button that opens another page, and wait until the scripts of that page have run."""
    with page.expect_navigation():
        button.click()


def let_requests_out(page: Page) -> None:
    """Send one more request from the page and wait for its response. All earlier requests have then been sent."""
    page.evaluate("() => fetch(location.href).then((answer) => answer.text())")


def forget_tries(stack: Stack) -> None:
    """Reset the site's counters, so that a test does not reach a limit, such as the limit of sign-ups per machine."""
    with Redis.from_url(f"unix://{broker_socket(stack.data_dir)}") as redis:
        for key in redis.scan_iter(match="keyline:cache:*", count=1000):
            redis.delete(key)


@pytest.fixture
def sign_up(visit: Callable[..., Visitor], live_stack: Stack) -> Callable[..., Visitor]:
    """Return a function that opens the site as a new user with their own team, and returns the Visitor."""

    def open_page(**options: object) -> Visitor:
        forget_tries(live_stack)
        visitor = visit(**options)
        name = f"visitor-{uuid.uuid4().hex[:10]}"
        page = visitor.page
        page.goto("/accounts/signup/")
        page.fill("input[name=username]", name)
        page.fill("input[name=password1]", PASSWORD)
        page.fill("input[name=password2]", PASSWORD)
        with page.expect_navigation():
            page.press("input[name=password2]", "Enter")
        page.wait_for_selector("#drop")
        return Visitor(page, visitor.complaints, visitor.expected, name)

    return open_page


@pytest.fixture(scope="session")
def photo_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return three real photos as files: a person, a cat and a cup."""
    from skimage import data

    folder = tmp_path_factory.mktemp("photos")
    files = []
    for name, pixels in (("astronaut", photos.astronaut()), ("cat", data.chelsea()), ("coffee", data.coffee())):
        path = folder / f"{name}.jpg"
        path.write_bytes(photos.encode(pixels, "JPEG", quality=90))
        files.append(path)
    return files
