"""Fixtures of the web server's tests: a server in this process that calls functions of the tests instead of Django."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from webserver.application import Application
from webserver.configuration import Configuration
from webserver.protocol import protocol_class

View = Callable[[HttpRequest], HttpResponseBase]


class Announcements:
    """A source of events for waiting requests. The semaphore `waiting` is released when a request starts to wait."""

    def __init__(self) -> None:
        self._events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.waiting = threading.Semaphore(0)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def stop(self) -> None: ...

    async def wait(self, topic: str, timeout_s: float | None) -> None:
        self.waiting.release()
        await self._events[topic].wait()

    def announce(self, topic: str) -> None:
        self._loop.call_soon_threadsafe(self._events[topic].set)


class Views:
    """A handler that calls the test's function for each path instead of Django.

    It also continues parked requests, which wait for an event.
    """

    def __init__(self) -> None:
        self.by_path: dict[str, View] = {"/ping": lambda request: HttpResponse(b"pong")}

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        parked = request.META.pop("webserver.going_on", None)
        return self.by_path[request.path](request) if parked is None else parked.go_on(request)


@dataclass
class Running:
    """A running server. announcements: the source of events for waiting requests. sockets: the tests' connections."""

    port: int
    views: Views
    announcements: Announcements
    sockets: list[socket.socket] = field(default_factory=list)

    def connect(self, text: str = "", *, receive_bytes: int | None = None) -> socket.socket:
        """Open a connection, send a text and return the connection. receive_bytes: the size of the receive buffer."""
        client = socket.socket()
        self.sockets.append(client)
        if receive_bytes is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        client.settimeout(60)
        client.connect(("127.0.0.1", self.port))
        client.sendall(text.encode())
        return client

    def get(self, path: str, **options: Any) -> socket.socket:
        """Request a path with `Connection: close`, and return the connection."""
        return self.connect(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", **options)


def answer(client: socket.socket) -> tuple[int, bytes]:
    """Read until the server closes the connection; return the response's status (0 if there is none) and body."""
    data = b""
    try:
        while piece := client.recv(2**16):
            data += piece
    except ConnectionResetError:
        pass
    head, _, body = data.partition(b"\r\n\r\n")
    return (int(head.split(b" ")[1]) if head else 0), body


@pytest.fixture
def serve() -> Iterator[Callable[..., Running]]:
    """Yield a function that starts a server with the given configuration values and returns it.

    The servers stop at the end of the test.
    """
    running: list[tuple[uvicorn.Server, threading.Thread, Running]] = []

    def start(**changes: Any) -> Running:
        configuration = Configuration(**changes)
        views, announcements = Views(), Announcements()
        application = Application(configuration, announcements, views)
        config = uvicorn.Config(
            application,
            http=protocol_class(configuration),
            ws="none",
            lifespan="on",
            log_config=None,
            timeout_keep_alive=configuration.keep_alive_s,
        )
        server = uvicorn.Server(config)
        listener = socket.create_server(("127.0.0.1", 0))
        served = Running(listener.getsockname()[1], views, announcements)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread, served))
        return served

    yield start
    for server, thread, served in running:
        for client in served.sockets:
            client.close()
        server.should_exit = True
        thread.join()
