"""Reading of request bodies in the event loop, into memory or a file, with a deadline. Django gets complete bodies.

A body above SMALL_BYTES is read only when a view needs it. Therefore a request without valid authentication is refused
before its body is read.
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
# A META key: the number of bytes that a view accepts. The middleware that limits bodies sets it before anything is
# read.
LIMIT = "webserver.body_limit"


class BodyWanted(BaseException):
    """Raised when Django reads a body that has not been received.

    It is a BaseException, so that handlers of Exception do not catch it.
    """


class BodyTooSlow(Exception):
    """Raised when the client sends its body more slowly than the configured pace allows."""


class ClientGone(Exception):
    """Raised when the client has closed the connection."""


class UnreadBody(io.RawIOBase):
    """A placeholder for a body that has not been received; reading it raises BodyWanted."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        raise BodyWanted

    def readline(self, size: int | None = -1) -> bytes:
        raise BodyWanted


async def body_read(receive: Receive, *, most_bytes: int, pace: Pace) -> IO[bytes]:
    """Read a request body into a file, and return the file at its start. Bodies above SMALL_BYTES are stored on disk.

    most_bytes: the longest accepted body. Reading stops after `most_bytes` + 1 bytes, so that the caller can detect a
    body that is too large.

    Raise BodyTooSlow if the client sends more slowly than `pace` allows, and ClientGone if it disconnects.
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
