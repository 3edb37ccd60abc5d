"""A fixture that starts local web servers with given responses."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.jobs.site import Answer, Site


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    with ExitStack() as stack:

        def start(answers: dict[str, Answer], context: ssl.SSLContext | None = None) -> Site:
            site = Site(answers, context)
            site.thread.start()
            stack.callback(site.server.server_close)
            stack.callback(site.server.shutdown)
            return site

        yield start
