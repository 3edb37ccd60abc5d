"""Read request bodies in the event loop, to memory or disk, with a deadline; Django gets them whole.

A large body is not read before somebody asks for it: a stranger's request is refused without a byte of it.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import IO, Any

from webserver.configuration import Pace

Receive = Callable[[], Awaitable[dict[str, Any]]]

SMALL_BYTES = 64 * 2**10
# A META key: how many bytes a view takes; the middleware that bounds bodies sets it before anything is read.
LIMIT = "webserver.body_limit"


class BodyWanted(BaseException):
    """Django wants a body that has not been read yet. No Exception: nothing on the way may take it for a failure."""


class BodyTooSlow(Exception):
    """The client sends more slowly than the pace allows."""


class ClientGone(Exception):
    """The client has closed the connection."""


class UnreadBody(io.RawIOBase):
    """Stand for a body that still lies at the client."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        raise BodyWanted

    def readline(self, size: int | None = -1) -> bytes:
        raise BodyWanted


async def body_read(receive: Receive, *, most_bytes: int, pace: Pace) -> IO[bytes]:
    """Read a body to its end, or to the first byte past `most_bytes`; larger ones lie on disk.

    Raises BodyTooSlow and ClientGone.
    """
    spool = tempfile.SpooledTemporaryFile(max_size=SMALL_BYTES)  # noqa: SIM115  the request closes it
    started, passed = time.monotonic(), 0
    try:
        while True:
            left = started + pace.allowed_s(passed) - time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, left)):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow from None
            if message["type"] == "http.disconnect":
                raise ClientGone
            piece = message.get("body", b"")
            passed += len(piece)
            spool.write(piece[: max(0, len(piece) - (passed - most_bytes - 1))] if passed > most_bytes else piece)
            if passed > most_bytes or not message.get("more_body", False):
                spool.seek(0)
                return spool
    except BaseException:
        spool.close()
        raise
