"""The web server's settings from environment variables. docs/settings.md explains the variables."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field


def _number(name: str, default: float) -> float:
    """Return the number in the environment variable `name`. An unset or empty variable has the value `default`.

    Raise ValueError, which names the variable, if the value is not a number above 0.
    """
    text = os.environ.get(name, "")
    try:
        value = float(text or default)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise ValueError(f"{name}={text} must be a number greater than 0")
    return value


def _whole(name: str, default: int) -> int:
    """Return the whole number in the environment variable `name`. An unset or empty variable has the value `default`.

    Raise ValueError, which names the variable, if the value is not a whole number above 0.
    """
    text = os.environ.get(name, "").strip()
    if text and not (text.isdecimal() and int(text) > 0):
        raise ValueError(f"{name}={text} must be a whole number greater than 0")
    return int(text or default)


def _port(name: str, default: int) -> int:
    """Return the port in the environment variable `name`. An unset or empty variable has the value `default`.

    Raise ValueError, which names the variable, if the value is not a port from 1 to 65535.
    """
    text = os.environ.get(name, "").strip() or str(default)
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise ValueError(f"{name}={text} is not a port from 1 to 65535")
    return int(text)


def _address(name: str, default: str) -> str:
    """Return the IP address, or the text `localhost`, in the environment variable `name`.

    An unset or empty variable has the value `default`. Raise ValueError, which names the variable, for any other text.
    """
    text = os.environ.get(name, "").strip() or default
    try:
        if text != "localhost":
            ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"{name}={text} must be an IP address such as 0.0.0.0") from None
    return text


@dataclass(frozen=True, slots=True)
class Pace:
    """The slowest accepted transfer: `bytes_per_s` on average, after the first `grace_s` seconds."""

    grace_s: float
    bytes_per_s: float

    def allowed_s(self, passed_bytes: int) -> float:
        """Return the seconds that the transfer of the first `passed_bytes` bytes may take."""
        return self.grace_s + passed_bytes / self.bytes_per_s


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of the web server.

    processes: the number of web processes.
    threads: the number of each process's threads for short requests.
    upload_threads: the number of each process's threads for requests with a large body.
    header_timeout_s: the time within which a request's header must arrive, in seconds.
    keep_alive_s: how long an idle connection stays open, in seconds.
    pace: the slowest accepted transfer.
    max_requests: the approximate number of requests after which a process is replaced.
    longest_wait_s: how long a request may wait for its job, in seconds.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = 2
    threads: int = 8
    upload_threads: int = 4
    header_timeout_s: float = 10.0
    keep_alive_s: float = 5.0
    pace: Pace = field(default_factory=lambda: Pace(20.0, 8192.0))
    max_requests: int = 50_000
    longest_wait_s: float = 60.0

    @property
    def stop_grace_s(self) -> float:
        """Return the seconds that a stopping process may take to finish the accepted requests."""
        return self.longest_wait_s + 10


def from_environment() -> Configuration:
    """Return the settings from the environment. Raise ValueError, which names the variable, for an invalid value."""
    return Configuration(
        host=_address("HOST", "127.0.0.1"),
        port=_port("PORT", 8000),
        processes=_whole("WEB_PROCESSES", 2),
        threads=_whole("WEB_THREADS", 8),
        upload_threads=_whole("WEB_UPLOAD_THREADS", 4),
        header_timeout_s=_number("WEB_HEADER_TIMEOUT_S", 10),
        pace=Pace(_number("WEB_STALL_TIMEOUT_S", 20), _number("WEB_MIN_BYTES_PER_S", 8192)),
        max_requests=_whole("WEB_MAX_REQUESTS", 50_000),
        longest_wait_s=_number("MATTING_MAX_WAIT_S", 60),
    )
