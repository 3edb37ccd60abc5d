"""Start Chromium, for the browser tests and for the figures that are measured in a page."""

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
    """Start the machine's Chromium; raise RuntimeError if there is none."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not binary:
        raise RuntimeError("no Chromium on this machine: apt-get install chromium")
    return playwright.chromium.launch(executable_path=binary, args=_FLAGS)
