"""The other pages: keys, language, theme, accessibility, small screens, the start page's size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import PHONE, Visitor
from tests.browser.test_cutting_out import cut_out
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
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
FIRST_PAGE_BYTES = 150_000


def faults_of(visitor: Visitor) -> list[str]:
    """List what axe reports, whatever its impact; new PerformanceObserver((list) => list.getEntries().forEach((entry) => {"
        " window.shift += entry.hadRecentInput ? 0 : entry.value; }))"
        ".observe({ type: 'layout-shift', buffered: true });"
    )

    page.goto("/", wait_until="networkidle")

    assert page.evaluate("window.shift") < 0.1
