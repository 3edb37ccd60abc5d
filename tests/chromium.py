"""A function that starts Chromium, for the browser tests and for measurements in a page."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launched(playwright: Playwright) -> Browser:
    """Start the installed Chromium and return it. Raise RuntimeError if it is not installed."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not binary:
        raise RuntimeError("no Chromium on this machine: apt-get install chromium")
    return playwright.chromium.launch(executable_path=binary, args=_FLAGS)
