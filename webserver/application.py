"""The ASGI application. The event loop handles bodies, waits and slow clients; thread pools (lanes) run Django."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import time
from collections.abc import Awaitable, Callable
from typing import IO, Any, Protocol, cast

from django.core.exceptions import RequestDataTooBig
from django.http import FileResponse, HttpResponse, HttpResponseBase

from webserver.bodies import SMALL_BYTES, BodyTooSlow, BodyWanted, ClientGone, body_read
from webserver.configuration import Configuration, Pace
from webserver.django_requests import Handler, Trips
from webserver.lanes import Lane, LaneFull, Lanes
from webserver.long_texts import TooLargeBody, is_form, taken_out
from webserver.memory import MachineSlot
from webserver.multipart import field_bytes
from webserver.parking import Parked
from webserver.protocol import ABORT

logger = logging.getLogger(__name__)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_PIECE_BYTES = 64 * 2**10
# A document or form is parsed completely in memory. Above the first length, a machine parses only one at a time; above
# the second, the body is refused. Long base64 texts are taken out first and do not count.
_ALONE_BYTES = 2**20
_MOST_PARSED_BYTES = 2 * 2**20
# In a form with files, the fields that are not files count together.
_MOST_FIELD_BYTES = 48 * 2**20
_TEXT_FROM_BYTES = 2**18
_CREDENTIALS = (b"authorization", b"x-api-key", b"cookie")
_LIVE = "/health/live"
_PROBES = ("/health", "/health/ready")


class Wakeups(Protocol):
    """The interface with which requests wait for events. Each event is announced under the name of its topic."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def wait(self, topic: str, timeout_s: float | None) -> None:
        """Return when an event of the topic is announced, or after `timeout_s` seconds; None means no timeout."""


class Application:
    """The ASGI application of one process. It handles the process's requests.

    wakeups: the object that tells waiting requests about their events.
    handler: the object that runs Django.
    slot: the lock that allows only one large body to be parsed at a time; None uses a lock of this process only.
    on_start: a function that is called once, when the process begins to serve.
    """

    def __init__(
        self,
        configuration: Configuration,
        wakeups: Wakeups,
        handler: Handler,
        slot: MachineSlot | None = None,
        on_start: Callable[[], None] = lambda: None,
    ) -> None:
        self.configuration = configuration
        self.wakeups = wakeups
        self.lanes = Lanes(threads=configuration.threads, upload_threads=configuration.upload_threads)
        self.handler = handler
        self.slot = slot or MachineSlot(None)
        self._on_start = on_start

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await _Exchange(self, scope, receive, send).run()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._on_start()
        await self.wakeups.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.wakeups.stop()
        self.lanes.close()
        await send({"type": "lifespan.shutdown.complete"})


class _Exchange:
    """The processing of one request, from its arrival until its response is sent."""

    def __init__(self, application: Application, scope: Message, receive: Receive, send: Send) -> None:
        self._application = application
        self._lanes = application.lanes
        self._pace = application.configuration.pace
        self._scope, self._receive, self._send = scope, receive, send
        self._trips = Trips(application.handler, scope)
        self._flow = _flow_of(scope)

    async def run(self) -> None:
        try:
            response = await self._answer()
        except ClientGone:
            return
        except BodyTooSlow:
            response = _plain("The request's body came too slowly.", 408, {"Connection": "close"})
        except LaneFull:
            response = _plain("The server is busy.", 503, {"Retry-After": "5"})
        await self._deliver(response)

    # The response -----------------------------------------------------------------------------------------------------

    async def _answer(self) -> HttpResponseBase:
        """Return the final response to the request.

        A parked request (a request that waits for an event) uses no thread until the event happens.
        """
        response = await self._first_answer()
        while isinstance(response, Parked):
            await self._wait(response)
            response = await self._lanes.short.run(self._trips.go_on, response, flow=self._flow)
        return response

    async def _first_answer(self) -> HttpResponseBase:
        declared = _declared_bytes(self._scope)
        path = self._scope["path"].rstrip("/")
        body = await self._small_body(declared)
        try:
            if path == _LIVE:  # needs no database, and a thread of its own would have to wait for a processor
                return self._trips.begin(body)
            return await self._begin(self._lanes.probes if path in _PROBES else self._lanes.short, body)
        except BodyWanted:
            body = await self._body(self._trips.body_limit)
            length = _length_of(body)
            if length > _TEXT_FROM_BYTES:
                body = await self._lanes.uploads.run(self._lean, body, flow=self._flow)
            parsed = await self._lanes.uploads.run(self._parsed_bytes, body, flow=self._flow)
            if parsed > _MOST_FIELD_BYTES:
                body.close()
                body = _too_large()
            elif parsed > _ALONE_BYTES:
                return await self._begin(self._lanes.memory, body, begin=self._begin_alone)
            return await self._begin(self._lanes.uploads, body)

    def _lean(self, body: IO[bytes]) -> IO[bytes]:
        """Remove the long base64 texts from a JSON document or a form, store them, and return the rest of the body.

        Return a body of another type unchanged. If the rest is still too long, return a body whose reading raises an
        error.
        """
        start = body.read(64)
        body.seek(0)
        kind = _kind_of(self._scope)
        as_form = is_form(kind, start)
        if as_form is None:
            return body
        body, texts = taken_out(body, is_form=as_form)
        self._trips.texts = texts
        self._trips.body_bytes = _length_of(body)
        if self._trips.body_bytes > _MOST_PARSED_BYTES:
            body.close()
            self._trips.body_bytes = 0
            return _too_large()
        return body

    def _parsed_bytes(self, body: IO[bytes]) -> int:
        """Return how many bytes of a body are in memory during parsing: all bytes except the files of a form."""
        if isinstance(body, TooLargeBody):
            return 0
        length = _length_of(body)
        if length <= _ALONE_BYTES or not _is_multipart(self._scope):
            return length
        return field_bytes(body, _kind_of(self._scope))

    def _begin_alone(self, body: IO[bytes] | None) -> HttpResponseBase:
        with self._application.slot.taken():
            try:
                return self._trips.begin(body)
            finally:
                gc.collect()  # breaks the reference cycle of request and view, which holds the body too

    async def _begin(
        self,
        lane: Lane,
        body: IO[bytes] | None,
        begin: Callable[[IO[bytes] | None], HttpResponseBase] | None = None,
    ) -> HttpResponseBase:
        try:
            return await lane.run(begin or self._trips.begin, body, flow=self._flow)
        except LaneFull:
            if body is not None:
                body.close()
            raise

    async def _small_body(self, declared: int | None) -> IO[bytes] | None:
        """Return a body of at most SMALL_BYTES, or None for a long or chunked body.

        Long and chunked bodies are read only when Django needs them.

        declared: the body's length in bytes, as `_declared_bytes` returns it.
        """
        if declared == 0:
            return io.BytesIO()
        return await self._body(declared) if declared is not None and declared <= SMALL_BYTES else None

    async def _body(self, most_bytes: int) -> IO[bytes]:
        return await body_read(self._receive, most_bytes=most_bytes, pace=self._pace)

    async def _wait(self, parked: Parked) -> None:
        """Wait for the event of a parked request. Raise ClientGone if the client disconnects first."""
        gone = asyncio.ensure_future(self._client_gone())
        happened = asyncio.ensure_future(self._happened(parked))
        try:
            await asyncio.wait({gone, happened}, return_when=asyncio.FIRST_COMPLETED)
            if not happened.done():
                await self._lanes.short.run(self._trips.leave, parked, flow=self._flow)
                raise ClientGone
        finally:
            gone.cancel()
            happened.cancel()

    async def _happened(self, parked: Parked) -> None:
        if isinstance(parked.awaited, str):
            await self._application.wakeups.wait(parked.awaited, parked.timeout_s)
        else:
            await asyncio.wait([asyncio.wrap_future(parked.awaited)], timeout=parked.timeout_s)

    async def _client_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    # The delivery -----------------------------------------------------------------------------------------------------

    async def _deliver(self, response: HttpResponseBase) -> None:
        """Send a response. Abort the connection if the client reads more slowly than the configured pace allows."""
        delivery = _Delivery(self._send, self._pace)
        reported = getattr(response, "delivered", None)
        try:
            await delivery.send(_start_of(response))
            if self._scope["method"] == "HEAD":
                await delivery.send({"type": "http.response.body"})
            elif response.streaming:
                await self._stream(response, delivery)
            elif reported is None:
                await delivery.send_whole(_content_of(response))
            elif await self._sent_to_client(response, delivery):
                await self._lanes.short.run(self._trips.report, reported, flow=self._flow)
        except TimeoutError:
            self._scope["extensions"][ABORT]["abort"]()
        finally:
            if response.streaming:
                await self._lanes.files.run(response.close)

    async def _sent_to_client(self, response: HttpResponseBase, delivery: _Delivery) -> bool:
        """Send a complete response, and return whether the client was still connected before its end.

        uvicorn reports a disconnection only through the request's messages, not through an error of `send`.
        """
        gone = asyncio.ensure_future(self._client_gone())
        try:
            await delivery.send_whole(_content_of(response), ends=False)
            await asyncio.sleep(0)
            is_there = not gone.done()
            await delivery.send({"type": "http.response.body"})
        finally:
            gone.cancel()
        return is_there

    async def _stream(self, response: HttpResponseBase, delivery: _Delivery) -> None:
        if isinstance(response, FileResponse):
            response.block_size = _PIECE_BYTES  # Django's 4096 bytes use a thread hundreds of times for one picture
        pieces = iter(response)
        while (piece := await self._lanes.files.run(next, pieces, None)) is not None:
            await delivery.send({"type": "http.response.body", "body": piece, "more_body": True})
        await delivery.send({"type": "http.response.body"})


class _Delivery:
    """The delivery of one response to the client, part by part.

    `send` raises TimeoutError if the transfer is slower than `pace` allows.
    """

    def __init__(self, send: Send, pace: Pace) -> None:
        self._send, self._pace = send, pace
        self._started, self._passed = time.monotonic(), 0

    async def send(self, message: Message) -> None:
        left = self._started + self._pace.allowed_s(self._passed) - time.monotonic()
        async with asyncio.timeout(max(0.0, left)):
            await self._send(message)
        self._passed += len(message.get("body", b""))

    async def send_whole(self, content: bytes, *, ends: bool = True) -> None:
        """Send the content in pieces.

        ends: whether this is the end of the response. If it is False, the caller must send the end.
        """
        for start in range(0, len(content), _PIECE_BYTES):
            piece = content[start : start + _PIECE_BYTES]
            more = start + _PIECE_BYTES < len(content) or not ends
            await self.send({"type": "http.response.body", "body": piece, "more_body": more})
        if not content and ends:
            await self.send({"type": "http.response.body"})


def _start_of(response: HttpResponseBase) -> Message:
    headers = [*response.items(), *(("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values())]
    if not response.streaming and "Content-Length" not in response.headers:
        headers.append(("Content-Length", str(len(_content_of(response)))))
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": response.status_code, "headers": encoded}


def _content_of(response: HttpResponseBase) -> bytes:
    return response.content if isinstance(response, HttpResponse) else b""


def _flow_of(scope: Message) -> tuple[bytes, ...]:
    """Return a key that identifies a client before authentication: its credentials, or else its IP address."""
    credentials = tuple(value for name, value in scope["headers"] if name in _CREDENTIALS)
    return credentials or (str((scope.get("client") or ("",))[0]).encode(),)


def _declared_bytes(scope: Message) -> int | None:
    """Return the length of the request's body according to its header.

    Return 0 if there is no body, and None for a chunked body or an invalid length.
    """
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    text = headers.get(b"content-length", b"0")
    return int(text) if text.isdigit() else None


def _length_of(body: IO[bytes]) -> int:
    length = body.seek(0, io.SEEK_END)
    body.seek(0)
    return length


def _too_large() -> IO[bytes]:
    return cast("IO[bytes]", TooLargeBody(RequestDataTooBig("The request's body is too large.")))


def _is_multipart(scope: Message) -> bool:
    return _kind_of(scope).lower().startswith(b"multipart/form-data")


def _kind_of(scope: Message) -> bytes:
    kind: bytes = dict(scope["headers"]).get(b"content-type", b"")
    return kind


def _plain(text: str, status: int, headers: dict[str, str]) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain", headers=headers)
