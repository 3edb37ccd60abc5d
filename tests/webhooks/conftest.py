"""Fixtures of the webhook tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.jobs.conftest import serve  # noqa: F401  a fixture
from tests.jobs.site import Answer, Site, answer
from tests.webhooks.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


@pytest.fixture
def receiver(serve: Callable[..., Site], settings: Settings) -> Callable[[Answer], Site]:  # noqa: F811
    """Return a function that starts a local web server with one response at /hook. The site may send requests to it."""

    def start(hook: Answer = answer(b"thanks")) -> Site:  # noqa: B008  the answer is a constant function
        site = serve({"/hook": hook, "/other": answer()})
        settings.MATTING_FETCH_ALLOW = [f"127.0.0.1:{site.port}"]
        return site

    return start
