"""Content checks with which an operator can refuse pictures: Python functions and a local HTTP service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVICE_REASON = "asked over HTTP"


def refuse(data: bytes, about: dict[str, str]) -> str | None:
    return f"no cats in {about['dialect']}" if data else None


def allow(data: bytes, about: dict[str, str]) -> str | None:
    return None


@contextmanager
def serving_checks() -> Iterator[str]:
    """Yield the URL of an HTTP content check that refuses the pictures of the team Studio and accepts all others."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            allowed = bool(data) and self.headers["X-Keyline-Team"] != "Studio"
            body = json.dumps({"allowed": allowed, "reason": SERVICE_REASON}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/check"
    finally:
        server.shutdown()
        server.server_close()
