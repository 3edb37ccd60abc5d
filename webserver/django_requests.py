"""Execution of Django's middleware and view for a request, in a thread of one of the server's pools."""

from __future__ import annotations

import io
import logging
import tempfile
from collections.abc import Callable
from typing import IO, Any, Protocol

from django.core import signals
from django.core.handlers.asgi import ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http import FileResponse, HttpRequest, HttpResponseBadRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import set_script_prefix

from webserver.answers import PieceResponse
from webserver.bodies import LIMIT, SMALL_BYTES, BodyWanted, UnreadBody
from webserver.long_texts import Texts, texts_of_request
from webserver.parking import GOING_ON, PARKS, REPORTS_DELIVERY, Parked

logger = logging.getLogger(__name__)

# Prefix of the META values that views keep from one run to the next.
_KEPT_PREFIX = "keyline."


class Handler(Protocol):
    """The interface of an object that returns the response to a request. It runs in the calling thread."""

    def get_response(self, request: HttpRequest) -> HttpResponseBase: ...


class DjangoHandler(BaseHandler):
    """Django's handler, with its middleware built once per process."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware()


class Trips:
    """One request that may run through Django several times: after its body was read, and after each wait.

    The methods `begin`, `go_on`, `leave` and `report` run in a thread of a pool. Only `/health/live` runs in the event
    loop. META values whose names begin with `keyline.` are kept for the next run.

    scope: the request's ASGI scope.
    """

    def __init__(self, handler: Handler, scope: dict[str, Any]) -> None:
        self._handler = handler
        self._scope = scope
        self._kept: dict[str, Any] = {}
        self.body_limit = SMALL_BYTES
        # The texts taken out of the body, and the length of the rest; None: the body is unchanged.
        self.texts: Texts = {}
        self.body_bytes: int | None = None

    def begin(self, body: IO[bytes] | None) -> HttpResponseBase:
        """Return the response, or Parked if the request must wait for an event.

        If Django reads a body that has not been received, set `body_limit` and raise BodyWanted.

        body: the request's body, or None if it has not been received yet.
        """
        return self._trip(UnreadBody() if body is None else body)

    def go_on(self, parked: Parked) -> HttpResponseBase:
        """Return the response of a parked request after its event, or Parked if the request must wait again."""
        return self._trip(io.BytesIO(), going_on=parked)

    def leave(self, parked: Parked) -> None:
        """Call the function `left` of a parked request whose client has disconnected."""
        try:
            parked.left()
        except Exception:
            logger.exception("what a client left behind could not be put right")
        finally:
            close_old_connections()

    def report(self, delivered: Callable[[], object]) -> None:
        """Call `delivered`, a function of the response, after the client has received the complete response."""
        try:
            delivered()
        except Exception:
            logger.exception("the delivery of an answer could not be recorded")
        finally:
            close_old_connections()

    def _trip(self, body: Any, going_on: Parked | None = None) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(self._scope))
        signals.request_started.send(sender=self._handler.__class__, scope=self._scope)
        try:
            request = self._request(body)
        except UnicodeDecodeError:
            return HttpResponseBadRequest()
        if going_on is not None:
            request.META |= {GOING_ON: going_on, "CONTENT_LENGTH": "0"}
            request.META.pop("HTTP_TRANSFER_ENCODING", None)
        token = texts_of_request.set(self.texts)
        try:
            response = self._handler.get_response(request)
        except BodyWanted:
            self.body_limit = request.META.get(LIMIT, SMALL_BYTES)
            close_old_connections()
            raise
        finally:
            texts_of_request.reset(token)
            self._kept = {name: value for name, value in request.META.items() if name.startswith(_KEPT_PREFIX)}
        return self._settled(response)

    def _request(self, body: Any) -> ASGIRequest:
        request = ASGIRequest(self._scope, body)
        request.META |= {
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            PARKS: True,
            REPORTS_DELIVERY: True,
            **self._kept,
        }
        if self.body_bytes is not None:
            request.META["CONTENT_LENGTH"] = str(self.body_bytes)
            request.META.pop("HTTP_TRANSFER_ENCODING", None)
        return request

    def _settled(self, response: HttpResponseBase) -> HttpResponseBase:
        """Do all work on the response that needs this thread's database connection.

        Then close the connection if it is old.
        """
        if not isinstance(response, StreamingHttpResponse):
            response.close()
        elif not isinstance(response, FileResponse | PieceResponse):
            _write_down(response)
        close_old_connections()
        return response


def _write_down(response: StreamingHttpResponse) -> None:
    """Write a streamed response to a temporary file in this thread.

    The response's parts may use a database connection, which belongs to this thread.
    """
    file = tempfile.SpooledTemporaryFile(max_size=2**20)  # noqa: SIM115  the response closes it
    for piece in iter(response):
        file.write(piece)
    file.seek(0)
    response._resource_closers.append(file.close)  # type: ignore[attr-defined]  # Django has no public way
    response.streaming_content = iter(lambda: file.read(2**16), b"")
