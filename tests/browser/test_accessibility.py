"""Tests that axe finds no accessibility errors on the site's pages, the API reference and the admin.

The pages are tested in the light and in the dark theme.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Visitor, press_and_load
from tests.browser.test_cutting_out import cut_out
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
SCHEMES = ("light", "dark")
PAGES = [
    "/",
    "/gallery/",
    "/recipes/",
    "/usage/",
    "/keys/",
    "/webhooks/",
    "/team/",
    "/status/",
    "/docs/errors",
    "/accounts/password/change/",
    "/accounts/email/",
    "/accounts/2fa/",
]
ADMIN_LISTS = (
    "job",
    "failedpicture",
    "auditentry",
    "team",
    "apikey",
    "invitation",
    "usageentry",
    "webhook",
    "webhookdelivery",
    "modelversion",
    "watchedfolder",
)
ADMIN_PAGES = [
    "/admin/",
    *(f"/admin/jobs/{name}/" for name in ADMIN_LISTS),
    "/admin/jobs/job/?q=nothing",
    "/admin/jobs/apikey/add/",
    "/admin/jobs/watchedfolder/add/",
    "/admin/auth/user/",
    "/admin/auth/group/",
    "/admin/auth/user/1/change/",
    "/admin/auth/user/1/password/",
]
# The first row of a list, whose page is checked too.
ADMIN_FORMS = ("job", "auditentry", "team", "apikey", "usageentry")
DESKTOP_PX = 1440
# Colours are measured after their transitions; animations without an end go on.
NOTHING_CHANGES_COLOUR = """() => document.getAnimations().every(
    (animation) => animation.playState !== "running" || animation.effect?.getComputedTiming().endTime === Infinity
)"""
# Tables that the reader would have to scroll sideways.
WIDER_THAN_ITS_FRAME = """() => [...document.querySelectorAll("table")].filter((table) => {
    const frame = table.closest(".simplebar-content-wrapper, .kl-card") ?? table.parentElement;
    return table.offsetWidth > frame.clientWidth + 1;
}).map((table) => table.id || table.className)"""


@pytest.fixture(scope="module")
def seeded_stack(live_stack: Stack) -> Stack:
    live_stack.manage("seed_jobs", "--jobs", "40", "--teams", "2", "--files", "8", "--yes")
    return live_stack


def faults_of(visitor: Visitor) -> list[str]:
    """Return the errors that axe, the accessibility checker, finds on the page. Ignore console messages from axe."""
    visitor.page.wait_for_function(NOTHING_CHANGES_COLOUR)
    ours = list(visitor.complaints)
    found = Axe().run(visitor.page, options={"preload": False}).response["violations"]
    visitor.page.wait_for_load_state("networkidle")
    visitor.complaints[:] = ours
    return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found]


def faults_on(visitor: Visitor, addresses: Iterable[str]) -> dict[str, list[str]]:
    """Return the errors that axe finds, by URL, for the pages that have errors."""
    faults = {}
    for address in addresses:
        visitor.page.goto(address, wait_until="networkidle")
        faults[address] = faults_of(visitor)
    return {address: found for address, found in faults.items() if found}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_page_has_accessibility_faults(sign_up: Callable[..., Visitor], photo_files: list[Path], scheme: str):
    visitor = sign_up(color_scheme=scheme)
    page = visitor.page
    cut_out(page, photo_files[0])
    editor = faults_of(visitor)
    page.goto("/")
    page.set_input_files("#files", photo_files[1:])
    page.click("#go:not([disabled])")
    page.wait_for_url("**/jobs/**")
    page.wait_for_selector(".badge.succeeded")
    batch = faults_of(visitor)
    page.locator(".pick").nth(0).check(force=True)
    press_and_load(page, page.locator("button[value=again]"))
    page.wait_for_selector("button[value=run]")
    again = faults_of(visitor)

    assert (editor, batch, again) == ([], [], [])
    assert faults_on(visitor, PAGES) == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_strangers_pages_have_no_accessibility_faults(visit: Callable[..., Visitor], scheme: str):
    visitor = visit(color_scheme=scheme)

    assert faults_on(visitor, ("/", "/accounts/login/", "/accounts/signup/", "/status/")) == {}
    for gone in ("/no-such-page", "/invitations/no-such-invitation/"):
        visitor.page.goto(gone)
        assert faults_of(visitor) == [], gone
    visitor.expect_complaint("status of 404")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_api_reference_has_no_accessibility_faults(visit: Callable[..., Visitor], scheme: str):
    visitor = visit(color_scheme=scheme)
    visitor.page.goto("/docs")
    visitor.page.wait_for_selector(".opblock")

    assert faults_of(visitor) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_admin_has_no_accessibility_faults_and_fits_the_screen(
    visit: Callable[..., Visitor], seeded_stack: Stack, scheme: str
):
    visitor = visit(color_scheme=scheme, viewport={"width": DESKTOP_PX, "height": 900})
    page = visitor.page
    page.goto("/accounts/login/")
    page.fill("input[name=login]", "admin")
    page.fill("input[name=password]", seeded_stack.admin_password)
    with page.expect_navigation():
        page.press("input[name=password]", "Enter")
    page.wait_for_selector("#drop")

    assert faults_on(visitor, ADMIN_PAGES) == {}
    for name in ADMIN_FORMS:
        page.goto(f"/admin/jobs/{name}/")
        page.locator("#result_list a[href*='/change/']").first.click()
        page.wait_for_url("**/change/**")
        page.wait_for_load_state("networkidle")
        assert faults_of(visitor) == [], name
    for address in ADMIN_PAGES:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= DESKTOP_PX, address
        assert page.evaluate(WIDER_THAN_ITS_FRAME) == [], address
