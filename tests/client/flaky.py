"""A proxy that breaks connections to a running site, to test how a client reacts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

_PIECE_BYTES = 2**16
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class FlakyProxy:
    """A proxy that forwards connections to a port of this machine, and can break them.

    faults: the faults of the next connections, in order. If the list is empty, connections have no faults. If a fault
    is a number, the proxy closes the connection after this number of bytes of the response. If it is "busy", the proxy
    sends a response with Retry-After and does not forward the request.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self.faults: list[int | str] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # the listening socket is closed when the test ends
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                fault = self.faults.pop(0) if self.faults else None
                threading.Thread(target=self._forward, args=(client, fault), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _forward(self, client: socket.socket, fault: int | str | None) -> None:
        with client, contextlib.suppress(OSError):
            if fault == "busy":
                client.recv(_PIECE_BYTES)
                client.sendall(BUSY)
                return
            with socket.create_connection(("127.0.0.1", self._target)) as site:
                threading.Thread(target=_copy, args=(client, site), daemon=True).start()
                left = fault if isinstance(fault, int) else None
                while left is None or left >= 0:
                    piece = site.recv(_PIECE_BYTES)
                    if not piece:
                        return
                    client.sendall(piece if left is None else piece[:left])
                    left = None if left is None else left - len(piece)
                client.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE_BYTES):
            target.sendall(piece)


@contextlib.contextmanager
def flaky_proxy(target: int) -> Iterator[FlakyProxy]:
    """Start a proxy that forwards to the port `target`, yield the proxy, and stop it at the end of the block."""
    proxy = FlakyProxy(target)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
