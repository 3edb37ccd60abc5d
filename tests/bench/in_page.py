"""Measurement of the time that a user waits in the browser, from the drop of a photo to the visible result."""

from __future__ import annotations

import base64
import statistics

from playwright.sync_api import Page, sync_playwright

from tests.bench import mixed
from tests.bench.figures import Figure, percentile
from tests.bench.on_site import Site
from tests.chromium import launched

SIZE = (4000, 3000)
TARGET_MS = 1000
_WARM_UP = 2
_TIMEOUT_MS = 60_000
# The drop and the result are on two pages, so the times are wall-clock times of the browser. The result counts as
# visible two frames after its picture is decoded, because the first of them draws it.
_CLOCK = """
const now = () => performance.timeOrigin + performance.now();
addEventListener("drop", () => sessionStorage.setItem("dropped", String(now())), true);
addEventListener("DOMContentLoaded", () => {
  const result = document.getElementById("after");
  const isShown = () => result.getAttribute("src") && result.complete && result.naturalWidth > 0;
  const look = async () => {
    if (!isShown() || document.querySelector("#stage.is-empty")) return requestAnimationFrame(look);
    await result.decode();
    const stop = () => { window.visibleMs = now() - Number(sessionStorage.getItem("dropped")); };
    requestAnimationFrame(() => requestAnimationFrame(stop));
  };
  if (result) look();
});
"""
_FILE = """async (photo) => {
  const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
  const dropped = new DataTransfer();
  dropped.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
  return dropped;
}"""


def visible(site: Site) -> list[Figure]:
    """Drop photos of 12 megapixels on the start page, one after the other.

    Return the median and the 95th percentile of the times until the results are visible.
    """
    with sync_playwright() as playwright:
        browser = launched(playwright)
        page = browser.new_page(base_url=site.stack.base_url, viewport={"width": 1440, "height": 900})
        page.set_default_timeout(_TIMEOUT_MS)
        page.add_init_script(_CLOCK)
        _sign_in(page, site.stack.admin_password)
        count = _WARM_UP + site.sizes.drops
        took_ms = [_drop(page, mixed.picture(SIZE, 30_000 + number)) for number in range(count)][_WARM_UP:]
        browser.close()
    site.pictures += count
    what = "12 MP photo, drop to visible result in the page"
    return [
        Figure("page.visible", f"{what}, median", statistics.median(took_ms), "ms", TARGET_MS),
        Figure("page.visible_p95", f"{what}, p95", percentile(took_ms, 95), "ms"),
    ]


def _sign_in(page: Page, password: str) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", "admin")
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_selector("#drop")


def _drop(page: Page, photo: bytes) -> float:
    """Drop a photo on the start page, and return the time until its result is visible, in milliseconds."""
    page.goto("/", wait_until="networkidle")
    dropped = page.evaluate_handle(_FILE, base64.b64encode(photo).decode())
    page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
    page.wait_for_url("**/jobs/**")
    page.wait_for_function("() => window.visibleMs > 0")
    return float(page.evaluate("() => window.visibleMs"))
