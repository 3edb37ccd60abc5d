"""A local web server with pictures that the running site downloads. Tests can delay a download."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PATIENCE_S = 60.0


class PictureServer:
    """A local web server that offers pictures by name. Tests add pictures and can delay their downloads."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.pictures: dict[str, bytes] = {}
        self.asked: dict[str, threading.Event] = {}
        self.released: dict[str, threading.Event] = {}

    def add(self, name: str, data: bytes) -> str:
        """Make `data` available under a name, and return its URL."""
        self.pictures[name] = data
        self.asked[name] = threading.Event()
        return f"http://127.0.0.1:{self.port}/{name}"

    @contextmanager
    def keeping_back(self, name: str, data: bytes) -> Iterator[str]:
        """Make `data` available under a name, and yield its URL; downloads of this URL wait until the block ends."""
        self.released[name] = threading.Event()
        try:
            yield self.add(name, data)
        finally:
            self.released.pop(name).set()

    def wait_until_asked_for(self, name: str) -> None:
        """Wait until a client requests the picture with this name."""
        assert self.asked[name].wait(_PATIENCE_S), f"{name} was not fetched"


@contextmanager
def serving_pictures() -> Iterator[PictureServer]:
    """Start a picture server on a free port of this machine and yield it; stop it at the end of the `with` block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/")
            data = pictures.pictures.get(name)
            if name in pictures.asked:
                pictures.asked[name].set()
            if name in pictures.released:
                pictures.released[name].wait(_PATIENCE_S)
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        pictures = PictureServer(server.server_port)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield pictures
        server.shutdown()
