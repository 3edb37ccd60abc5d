"""One web process: it runs uvicorn on the parent process's socket, and reports its state to the parent."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import resource
import socket
import sys
from importlib import import_module
from typing import Any

import uvicorn
from django.db import connections

from webserver.configuration import Configuration
from webserver.forks import limit_heaps
from webserver.memory import MachineSlot
from webserver.parent import ALIVE, BEAT_EVERY_S, REPLACE, SERVES
from webserver.protocol import protocol_class

APPLICATION = "mattingsite.asgi:application"
_TURN = 64  # how many connections one process accepts before it lets the other processes accept some
_QUEUE = 1024
_SWITCH_INTERVAL_S = 0.001  # the event loop gets the interpreter soon, even when many threads compute


class _Server(uvicorn.Server):
    """A uvicorn server that sends reports to the parent process.

    It reports that it serves, that it is alive, and that it should be replaced.
    """

    def __init__(self, config: uvicorn.Config, *, pipe: int, max_requests: int) -> None:
        super().__init__(config)
        self._pipe = pipe
        # The random part keeps all processes from being replaced at the same time.
        self._share = max_requests + random.randrange(max(1, max_requests // 5))  # noqa: S311
        self._told = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():  # uvicorn has limited the queue to the number of one turn
            listener.listen(_QUEUE)
        self._tell(SERVES)
        self._beat()

    def _beat(self) -> None:
        self._tell(ALIVE)
        if not self._told and self.server_state.total_requests >= self._share:
            self._told = True
            self._tell(REPLACE)
        asyncio.get_running_loop().call_later(BEAT_EVERY_S, self._beat)

    def _tell(self, word: bytes) -> None:
        try:
            os.write(self._pipe, word)
        except OSError:  # the parent has ended; accepted requests still get their responses
            self.should_exit = True


def load_application() -> Any:
    """Import the ASGI application named by APPLICATION and return it."""
    module, _, name = APPLICATION.partition(":")
    application = getattr(import_module(module), name)
    connections.close_all()  # a connection must not be used by two processes
    return application


def serve(configuration: Configuration, *, listener: int, pipe: int, lock_file: int) -> None:
    """Serve until SIGTERM, then finish the accepted requests and return.

    listener: the descriptor of the listening socket.
    pipe: the descriptor of the pipe to the parent process.
    lock_file: the descriptor of a file that a web process locks while it parses a large body.
    """
    _allow_many_connections()
    limit_heaps()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    application = load_application()
    application.slot = MachineSlot(lock_file)
    gc.collect()
    gc.freeze()  # later garbage collections skip the objects that are loaded now
    config = uvicorn.Config(
        application,
        http=protocol_class(configuration),
        ws="none",
        loop="asyncio",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_TURN,
        timeout_keep_alive=int(configuration.keep_alive_s),
        timeout_graceful_shutdown=int(configuration.stop_grace_s),
    )
    server = _Server(config, pipe=pipe, max_requests=configuration.max_requests)
    server.run(sockets=[socket.socket(fileno=listener)])


def _allow_many_connections() -> None:
    """Raise the soft limit of open files to the hard limit, because each waiting request needs a socket."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
