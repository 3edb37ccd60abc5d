"""Code that prepares each process of an attacked site. Python imports this module when a process starts.

SIGUSR2 makes a process hang in native code while it holds the interpreter's lock. A host name under `.rebind.test`
resolves to a public IP address at the first lookup, and to this machine at later lookups.
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
