"""HTTP over one connection: uvicorn's protocol with additional deadlines."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from webserver.configuration import Configuration

MAX_HEADER_BYTES = 64 * 2**10
ABORT = "webserver.abort"


def protocol_class(configuration: Configuration) -> type[HttpToolsProtocol]:
    """Return a protocol class for uvicorn with the deadlines of a configuration."""
    return type("Connection", (DeadlineProtocol,), {"configuration": configuration})


class DeadlineProtocol(HttpToolsProtocol):
    """A connection with the deadlines of `configuration`.

    The connection is closed if a request's header arrives too slowly or is longer than MAX_HEADER_BYTES, or if the
    client does not read the last bytes of a response. After a request is refused, the server receives and drops its
    body for `keep_alive_s` seconds, because an immediate close could lose the response.
    """

    configuration: Configuration
    _deadline: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _in_header = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline(self.configuration.header_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_header:
            if self._deadline is None:
                self._set_deadline(self.configuration.header_timeout_s)
            self._header_bytes += len(data)
        super().data_received(data)
        if self._in_header and self._header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("The request's header is too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}

    def on_headers_complete(self) -> None:
        self._in_header = False
        self._clear_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_header, self._header_bytes = True, 0
        if self.cycle.response_complete:  # the body of a refused request has been received completely
            self._set_deadline(self.configuration.keep_alive_s)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.cycle.response_complete:  # the cycle is already that of the next request on this connection
            return
        if self.cycle.more_body:
            self._set_deadline(self.configuration.keep_alive_s)
        elif self.transport.get_write_buffer_size():
            self.loop.call_later(self.configuration.pace.grace_s, self._abort_unless_sent, self.cycle)

    def _abort_unless_sent(self, cycle: Any) -> None:
        if self.cycle is cycle and self.transport.get_write_buffer_size():
            self.transport.abort()

    def _set_deadline(self, delay_s: float) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(delay_s, self._close)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()
