"""Connect to a checked IP address within a deadline.

The connection classes extend those of urllib3 and replace the method `_new_conn`, as urllib3 itself does for SOCKS. So
the socket connects to the checked address, while TLS, SNI, the certificate check and the Host header use the host name.

The package `requests-hardened` is not used, because it checks only the first DNS result, extracts only IPv4-mapped
addresses and has no deadline.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection

from jobs.errors import DownloadFailed, UrlForbidden
from jobs.intake.fetch.address import Address
from jobs.intake.fetch.policy import Policy
from jobs.intake.fetch.url import Target

if TYPE_CHECKING:
    _Socket = socket.socket
else:
    _Socket = object  # the mixin precedes both socket classes

Clock = Callable[[], float]
Resolver = Callable[[str, int], list[str]]

_MAX_LOOKUPS = 32
_lookup_slots = threading.BoundedSemaphore(_MAX_LOOKUPS)


class Deadline:
    """A point in time: `seconds` after the creation of the object, measured by the monotonic clock `clock`."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._ends = self._started + seconds

    def remaining_s(self) -> float:
        """Return the number of seconds until the deadline. Raise TimeoutError if the deadline has passed.

        The result is never 0, because a socket with the timeout 0 is non-blocking.
        """
        remaining = self._ends - self._clock()
        if remaining <= 0:
            raise TimeoutError("the deadline has passed")
        return remaining

    def elapsed_ms(self) -> int:
        return round((self._clock() - self._started) * 1000)


class _DeadlineMixin(_Socket):
    """Mixin for sockets. Before each operation it sets the socket's timeout to the time left until the deadline.

    A normal timeout starts again with each packet. So a server that sends one byte per second could block a worker
    forever.
    """

    deadline: Deadline | None = None

    def _arm(self) -> None:
        if self.deadline is not None:
            self.settimeout(self.deadline.remaining_s())

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        self._arm()
        return super().recv(*args, **kwargs)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._arm()
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._arm()
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self._arm()
        return super().sendall(*args, **kwargs)


class DeadlineSocket(_DeadlineMixin, socket.socket):
    """A TCP socket whose operations stop at a deadline."""


class DeadlineTlsSocket(_DeadlineMixin, ssl.SSLSocket):
    """A TLS socket whose operations stop at a deadline. The TLS handshake uses the timeout of the TCP socket."""


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Return the TLS context that all connections share.

    It verifies host names, and it verifies certificates with the certificate authorities of the operating system.
    """
    context = ssl.create_default_context()
    context.sslsocket_class = DeadlineTlsSocket
    return context


def system_resolver(host: str, port: int) -> list[str]:
    """Return the IP addresses of `host` as text, in the order that the operating system prefers.

    Raise OSError if the host has no address.
    """
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def look_up(target: Target, deadline: Deadline, resolver: Resolver) -> list[Address]:
    """Return the IP addresses of the target's host. If the host is an IP address itself, return this address.

    A lookup cannot be cancelled. So it runs in a daemon thread. If the thread continues after the deadline, its result
    is ignored. At most `_MAX_LOOKUPS` of these threads run at a time.

    resolver: the function that looks up a host name.

    Raise DownloadFailed if there is no address, and TimeoutError when the deadline passes.
    """
    if target.address is not None:
        return [target.address]
    answer: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(resolver(target.host, target.port))
        except Exception as error:
            answer.put(error)
        finally:
            _lookup_slots.release()

    if not _lookup_slots.acquire(timeout=deadline.remaining_s()):
        raise TimeoutError("too many name lookups are waiting")
    threading.Thread(target=ask, name="name-lookup", daemon=True).start()
    try:
        found = answer.get(timeout=deadline.remaining_s())
    except queue.Empty:
        raise TimeoutError("the name lookup took too long") from None
    if isinstance(found, Exception) or not found:
        raise DownloadFailed("The URL's host has no address.")
    return [ip_address(text) for text in found]


def connect(target: Target, policy: Policy, deadline: Deadline, resolver: Resolver) -> HTTPConnection:
    """Look up the target's host and return an open connection to one of its IP addresses.

    Raise UrlForbidden if one of the host's addresses is not permitted, even if the other addresses are permitted. Mixed
    addresses may be a DNS rebinding attack. Raise DownloadFailed if the host has no address, and OSError or urllib3's
    HTTPError for network errors.
    """
    addresses = look_up(target, deadline, resolver)
    if not all(policy.permits(target.host, target.port, address) for address in addresses):
        raise UrlForbidden("The URL's host is not on the public Internet.")

    def dial() -> DeadlineSocket:
        failure: OSError = OSError("no address")
        for address in addresses:
            try:
                return _dial(address, target.port, policy, deadline)
            except OSError as error:
                failure = error
        raise failure

    connection: _PinnedConnection | _PinnedTlsConnection
    if target.scheme == "https":
        connection = _PinnedTlsConnection(target.host, target.port, ssl_context=tls_context())
    else:
        connection = _PinnedConnection(target.host, target.port)
    connection.dial = dial
    try:
        connection.connect()
        cast(DeadlineSocket | DeadlineTlsSocket, connection.sock).deadline = deadline
    except BaseException:
        connection.close()
        raise
    return connection


def _dial(address: Address, port: int, policy: Policy, deadline: Deadline) -> DeadlineSocket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    sock = DeadlineSocket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(min(policy.connect_timeout_s, deadline.remaining_s()))
        sock.connect((str(address), port))
        # The remaining time limits the whole TLS handshake, which OpenSSL's wrapper treats as one wait.
        sock.settimeout(deadline.remaining_s())
    except BaseException:
        sock.close()
        raise
    return sock


class _PinnedConnection(HTTPConnection):
    dial: Callable[[], socket.socket]

    def _new_conn(self) -> socket.socket:
        return self.dial()


class _PinnedTlsConnection(HTTPSConnection):
    dial: Callable[[], socket.socket]

    def _new_conn(self) -> socket.socket:
        return self.dial()
