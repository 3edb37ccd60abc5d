"""Clients that keep connections open but send or read almost nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Site:
    """The URL of the attacked site, and a key of the site."""

    url: str
    secret: str

    async def connect(self, **options: Any) -> Streams:
        parts = urlsplit(self.url)
        return await asyncio.open_connection(parts.hostname, parts.port, **options)

    def head(self, method: str, path: str, *more: str) -> bytes:
        """Return the complete header of a request. more: other header lines."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(self.url).netloc}"]
        lines += [f"Authorization: Bearer {self.secret}", *more, "", ""]
        return "\r\n".join(lines).encode()


async def half_header(site: Site) -> Streams:
    """Connect and send only the first part of a request's header; return the connection's reader and writer."""
    reader, writer = await site.connect()
    writer.write(site.head("GET", "/health/live")[:40])
    return reader, writer


async def slow_sender(site: Site) -> Streams:
    """Connect and send a request that announces a body of 2 MB, but contains only a few bytes of it.

    Return the connection's reader and writer.
    """
    reader, writer = await site.connect()
    kind = "Content-Type: multipart/form-data; boundary=x"
    writer.write(site.head("POST", "/api/jobs/?wait=30", kind, f"Content-Length: {2 * 2**20}") + b"--x\r\n")
    return reader, writer


def slow_reader(path: str) -> Callable[[Site], Awaitable[Streams]]:
    """Return a function that connects, requests a file several times, and does not read the responses."""

    async def start(site: Site) -> Streams:
        parts = urlsplit(site.url)
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # otherwise the kernel buffers megabytes for it
        slow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(slow, (parts.hostname, parts.port))
        reader, writer = await asyncio.open_connection(sock=slow, limit=1024)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(4):
            writer.write(site.head("GET", path))
        return reader, writer

    return start


def waiter(job_id: str, wait_s: int) -> Callable[[Site], Awaitable[Streams]]:
    """Return a function that connects and sends a request which waits up to `wait_s` seconds for a job."""

    async def start(site: Site) -> Streams:
        reader, writer = await site.connect()
        writer.write(site.head("GET", f"/api/jobs/{job_id}?wait={wait_s}"))
        return reader, writer

    return start


@asynccontextmanager
async def held(site: Site, count: int, start: Callable[[Site], Awaitable[Streams]]) -> Any:
    """Keep `count` stalled clients connected during the block; replace disconnected clients every second.

    start: a function that connects one client. Yield a list whose only item is the number of disconnections.
    """
    cut = [0]
    clients = [await start(site) for _ in range(count)]

    async def keep() -> None:
        while True:
            for index, (reader, writer) in enumerate(clients):
                if reader.at_eof() or writer.transport.is_closing():
                    cut[0] += 1
                    with suppress(OSError):
                        clients[index] = await start(site)
            await asyncio.sleep(1)

    keeping = asyncio.create_task(keep())
    try:
        yield cut
    finally:
        keeping.cancel()
        for _, writer in clients:
            writer.transport.abort()
