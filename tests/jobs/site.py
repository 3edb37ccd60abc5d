"""A small local web server for tests, and functions that create its responses."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from jobs.intake.fetch import Policy

PICTURE = b"\x89PNG and so on"
Answer = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A server on 127.0.0.1 with one response per path. It records its requests.

    answers: the responses by path. context: TLS settings, None for plain HTTP.
    """

    def __init__(self, answers: dict[str, Answer], context: ssl.SSLContext | None = None) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                site.requests.append((self.command, self.path, dict(self.headers), body))
                self.close_connection = True
                with suppress(OSError):
                    answers[self.path.partition("?")[0]](self)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda request, client_address: None
        if context is not None:
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def policy(self, **changes: object) -> Policy:
        return Policy(**{"allowed_hosts": (f"127.0.0.1:{self.port}",), **changes})  # type: ignore[arg-type]

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.requests]


def answer(
    body: bytes = PICTURE, *, status: int = 200, headers: dict[str, str] | None = None, with_length: bool = True
) -> Answer:
    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        if with_length and "Content-Length" not in (headers or {}):
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return send


def redirect(location: str, status: int = 302) -> Answer:
    return answer(b"", status=status, headers={"Location": location})


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(bytes(64 * 1024))


def endless_chunks(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    while True:
        request.wfile.write(b"10000\r\n" + bytes(65536) + b"\r\n")
