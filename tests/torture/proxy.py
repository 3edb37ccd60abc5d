"""A TCP proxy whose behaviour tests can change while connections are open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

_PIECE_BYTES = 2**16


class Mode(Enum):
    """How the proxy handles connections and bytes."""

    PASS = "pass"
    SLOW = "slow"  # each piece is delayed by `delay_s`
    HANG = "hang"  # connections are accepted, and no byte passes
    REFUSE = "refuse"  # all connections are closed, including open ones


class Proxy:
    """A proxy that forwards bytes between its port and a target. Tests may change `mode` and `delay_s` at any time."""

    def __init__(self, target: tuple[str, int] | str) -> None:
        self.target = target
        self.mode, self.delay_s = Mode.PASS, 0.1
        self.connections = 0
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    def set(self, mode: Mode) -> None:
        self.mode = mode
        if mode is Mode.REFUSE:
            self._loop.call_soon_threadsafe(self._abort_all)

    def _abort_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._ended.wait()
        server.close()
        self._abort_all()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.mode is Mode.REFUSE:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            if isinstance(self.target, str):
                there_reader, there_writer = await asyncio.open_unix_connection(self.target)
            else:
                there_reader, there_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            self._open.discard(writer)
            return
        self._open.add(there_writer)
        ways = (self._pass(reader, there_writer), self._pass(there_reader, writer))
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(*ways)
        for end in (writer, there_writer):
            self._open.discard(end)
            end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                while self.mode is Mode.HANG:
                    await asyncio.sleep(0.05)
                if self.mode is Mode.SLOW:
                    await asyncio.sleep(self.delay_s)
                writer.write(piece)
                await writer.drain()
        with suppress(OSError):
            writer.write_eof()


@contextmanager
def proxied(target: tuple[str, int] | str) -> Iterator[Proxy]:
    """Run a proxy in a thread, yield it, and stop it at the end of the block.

    target: host and port, or the path of a socket.
    """
    proxy, started = Proxy(target), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(proxy._serve(started)), daemon=True)
    thread.start()
    started.wait()
    try:
        yield proxy
    finally:
        proxy._loop.call_soon_threadsafe(proxy._ended.set)
        thread.join(10)
