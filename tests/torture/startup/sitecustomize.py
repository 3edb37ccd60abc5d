"""Preparation of an attacked site's processes. Python imports this module when they start.

SIGUSR2 makes a process hang in native code while it holds the interpreter's lock. Host names under `.rebind.test`
resolve to a public IP address first and to this machine afterwards.
"""

import ctypes
import itertools
import signal
import socket

_PUBLIC = "203.0.114.7"
_turns: dict = {}
_getaddrinfo = socket.getaddrinfo


def _hang(*_: object) -> None:
    ctypes.PyDLL(None).sleep(3600)  # PyDLL, unlike CDLL, keeps the lock


def _rebinding(host: object, port: object, *more: object, **values: object) -> object:
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.rstrip(".").endswith(".rebind.test"):
        turn = next(_turns.setdefault(name, itertools.count()))
        host = _PUBLIC if turn == 0 else "127.0.0.1"
    return _getaddrinfo(host, port, *more, **values)


signal.signal(signal.SIGUSR2, _hang)
socket.getaddrinfo = _rebinding
