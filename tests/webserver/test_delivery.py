"""Tests that the server reports which responses have reached their clients."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse

from tests.webserver.conftest import Running, answer

Serve = Callable[..., Running]


@pytest.mark.parametrize("content", [b"", b"cutout", b"x" * 300_000])
def test_an_answer_that_reached_its_client_is_reported(serve: Serve, content: bytes) -> None:
    server = serve(threads=1)
    reported: queue.Queue[bool] = queue.Queue()

    def view(request: HttpRequest) -> HttpResponse:
        assert request.META["webserver.reports_delivery"]
        response = HttpResponse(content)
        response.delivered = lambda: reported.put(True)
        return response

    server.views.by_path["/submit"] = view

    assert answer(server.get("/submit")) == (200, content)
    assert reported.get(timeout=60)


def test_the_answer_to_a_client_that_has_gone_is_not_reported(serve: Serve) -> None:
    server = serve(threads=1)
    reported: queue.Queue[str] = queue.Queue()
    begun, go_on = threading.Event(), threading.Event()

    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse(b"cutout")
        response.delivered = lambda: reported.put(request.path)
        if request.path == "/left":
            begun.set()
            go_on.wait(60)
        return response

    server.views.by_path |= {"/left": view, "/stayed": view, "/health/live": lambda request: HttpResponse()}
    client = server.get("/left")
    assert begun.wait(60)

    client.close()
    assert answer(server.get("/health/live"))[0]  # by now, the server has noticed the closed connection
    go_on.set()

    assert answer(server.get("/stayed"))[0] == 200
    assert reported.get(timeout=60) == "/stayed"
