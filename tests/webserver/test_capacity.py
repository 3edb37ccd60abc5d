"""Tests that slow clients use no thread, so that short requests get responses even with many open connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from tests.webserver.conftest import Running, answer
from webserver.answers import PieceResponse
from webserver.bodies import LIMIT
from webserver.configuration import Pace
from webserver.parking import Parked

Serve = Callable[..., Running]
WAITS = 60


def parked(request: HttpRequest) -> HttpResponseBase:
    return Parked(awaited="end", timeout_s=None, go_on=lambda request: HttpResponse(b"done"))


def test_short_requests_are_answered_while_many_wait_and_all_that_wait_are_answered_in_the_end(serve: Serve) -> None:
    server = serve(threads=1, upload_threads=1)
    server.views.by_path["/wait"] = parked
    waiting = [server.get("/wait") for _ in range(WAITS)]
    for _ in waiting:
        assert server.announcements.waiting.acquire(timeout=60)

    assert answer(server.get("/ping")) == (200, b"pong")

    server.announcements.announce("end")
    assert [answer(client) for client in waiting] == [(200, b"done")] * WAITS


def test_short_requests_are_answered_while_every_upload_thread_is_busy(serve: Serve) -> None:
    server = serve(threads=1, upload_threads=1)
    begun, go_on = threading.Event(), threading.Event()

    def upload(request: HttpRequest) -> HttpResponse:
        request.META[LIMIT] = 200_000
        length = len(request.read())
        begun.set()
        go_on.wait(60)
        return HttpResponse(str(length))

    server.views.by_path["/upload"] = upload
    body = "x" * 100_000
    head = f"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    client = server.connect(head + body)
    assert begun.wait(60)

    assert answer(server.get("/ping")) == (200, b"pong")

    go_on.set()
    assert answer(client) == (200, b"100000")


def test_health_is_told_while_every_thread_is_busy(serve: Serve) -> None:
    server = serve(threads=1)
    begun, go_on = threading.Event(), threading.Event()

    def slow(request: HttpRequest) -> HttpResponse:
        begun.set()
        go_on.wait(60)
        return HttpResponse()

    server.views.by_path |= {"/slow": slow, "/health/live": lambda request: HttpResponse(b"alive")}
    client = server.get("/slow")
    assert begun.wait(60)

    assert answer(server.get("/health/live")) == (200, b"alive")

    go_on.set()
    assert answer(client)[0] == 200


def test_a_client_that_leaves_while_it_waits_is_noticed(serve: Serve) -> None:
    server = serve()
    noticed = threading.Event()
    server.views.by_path["/wait"] = lambda request: Parked(
        awaited="end", timeout_s=None, go_on=lambda request: HttpResponse(), left=noticed.set
    )
    client = server.get("/wait")
    assert server.announcements.waiting.acquire(timeout=60)

    client.close()

    assert noticed.wait(60)


@pytest.mark.parametrize(("kind", "is_written_down"), [(StreamingHttpResponse, True), (PieceResponse, False)])
def test_a_stream_is_made_in_the_thread_of_its_request_unless_it_says_that_any_will_do(
    serve: Serve, kind: type[StreamingHttpResponse], is_written_down: bool
) -> None:
    server = serve(threads=1)
    names: list[str] = []

    def pieces() -> Iterator[bytes]:
        names.append(threading.current_thread().name)
        yield b"one"
        yield b"two"

    server.views.by_path["/stream"] = lambda request: kind(pieces())

    assert answer(server.get("/stream"))[0] == 200
    assert names[0].startswith("short") is is_written_down


def test_head_has_the_header_alone(serve: Serve) -> None:
    server = serve()

    status, body = answer(server.connect("HEAD /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))

    assert (status, body) == (200, b"")


# Deadlines ------------------------------------------------------------------------------------------------------------


def test_a_header_that_does_not_come_to_its_end_is_cut_off(serve: Serve) -> None:
    server = serve(header_timeout_s=0.2)

    assert answer(server.connect("GET /ping HTTP/1.1\r\nHo")) == (0, b"")
    assert answer(server.connect()) == (0, b"")


def test_a_second_header_on_a_connection_is_cut_off_too(serve: Serve) -> None:
    server = serve(header_timeout_s=0.2, keep_alive_s=0.2)

    status, body = answer(server.connect("GET /ping HTTP/1.1\r\nHost: x\r\n\r\nGET /pi"))

    assert (status, body) == (200, b"pong")


def test_a_header_without_end_is_refused(serve: Serve) -> None:
    server = serve()

    status, _ = answer(server.connect("GET /ping HTTP/1.1\r\nX: " + "x" * 70_000))

    assert status == 400


@pytest.mark.parametrize("length", [1000, 1_000_000])
def test_a_body_that_comes_too_slowly_is_refused(serve: Serve, length: int) -> None:
    server = serve(pace=Pace(0.2, 1e6))

    def form(request: HttpRequest) -> HttpResponse:
        request.META[LIMIT] = 2_000_000
        return HttpResponse(request.read())

    server.views.by_path["/form"] = form

    status, _ = answer(server.connect(f"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nx"))

    assert status == 408


def test_a_body_that_nobody_asks_for_is_not_waited_for(serve: Serve) -> None:
    server = serve(keep_alive_s=0.2)
    server.views.by_path["/form"] = lambda request: HttpResponse(status=401)

    status, _ = answer(server.connect("POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"))

    assert status == 401


def test_a_request_that_follows_before_the_response_has_ended_keeps_its_connection(serve: Serve) -> None:
    server = serve(keep_alive_s=0)
    followed, ended = threading.Event(), threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"one"
        followed.wait(60)

    def first(request: HttpRequest) -> PieceResponse:
        response = PieceResponse(pieces(), headers={"Content-Length": "3"})
        response._resource_closers.append(ended.set)
        return response

    server.views.by_path["/first"] = first
    server.views.by_path["/second"] = lambda request: HttpResponse(request.read())
    client = server.connect("GET /first HTTP/1.1\r\nHost: x\r\n\r\n")
    data = b""
    while not data.endswith(b"one"):
        data += client.recv(2**16)

    client.sendall(b"POST /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\n")
    assert answer(server.get("/ping")) == (200, b"pong")  # by now the server has the second request's header
    followed.set()
    assert ended.wait(60)
    client.sendall(b"two")

    assert answer(client) == (200, b"two")


def test_a_reader_that_takes_nothing_is_cut_off(serve: Serve) -> None:
    server = serve(pace=Pace(0.3, 1e9))
    length = 50_000_000
    server.views.by_path["/file"] = lambda request: HttpResponse(bytes(length))
    client = server.get("/file", receive_bytes=4096)

    closed = threading.Event()
    server.views.by_path["/closed"] = lambda request: HttpResponse(b"yes")
    assert not closed.wait(1.5)  # do not read meanwhile

    status, body = answer(client)
    assert status == 200
    assert len(body) < length
