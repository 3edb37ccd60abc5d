"""Define the hosts and ports to which the guarded HTTP client may connect."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Literal

from django.conf import settings

from jobs.intake.fetch.address import Address, Network, is_metadata, is_public

_ENTRY = re.compile(r"(?:\[(?P<bracketed>[^\]]+)\]|(?P<plain>[^:\[\]]+))(?::(?P<port>\d{1,5}|\*))?")
_ANY_PORT = range(1, 65536)
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True)
class Allowance:
    """A host or network to which the operator allows connections. Either `name` or `network` is set.

    ports: the allowed ports; None for the ports of the policy.
    """

    name: str = ""
    network: Network | None = None
    ports: range | None = None

    @staticmethod
    @lru_cache(maxsize=256)
    def parse(text: str) -> Allowance:
        """Parse one entry of the operator's list of allowed hosts.

        Examples: `images.internal:8443`, `10.1.0.0/16`, `127.0.0.1:*` (any port), `[fd00::1]:9000`.

        Raise ValueError if the entry is invalid, so that the site does not start with a typing error in this setting.
        """
        entry = text.strip().lower()
        match = _ENTRY.fullmatch(entry)
        host, port = entry, None
        if match is not None and _network_or_none(entry) is None:
            host, port = (match["bracketed"] or match["plain"]).removesuffix("."), match["port"]
        network = _network_or_none(host)
        if network is None and (not _NAME.fullmatch(host) or host.split(".")[-1].isdigit()):
            raise ValueError(f"{text!r} is neither a host name nor a network, with or without a port")
        if port not in (None, "*") and int(port) not in _ANY_PORT:
            raise ValueError(f"{text!r} has a port outside 1..65535")
        ports = None if port is None else _ANY_PORT if port == "*" else range(int(port), int(port) + 1)
        return Allowance(name="" if network else host, network=network, ports=ports)

    def covers_host(self, host: str, address: Address | None) -> bool:
        """Return whether this entry allows connections to `host` or to its IP address `address`. Ports are not checked.

        address: None if it is not known.
        """
        if self.network is None:
            return host == self.name
        return address is not None and address.version == self.network.version and address in self.network


@dataclass(frozen=True)
class Policy:
    """The hosts and ports to which the client may connect, and the limits of a request.

    schemes: the permitted URL schemes.
    ports: the permitted ports of public addresses.
    allowed_hosts: further permitted hosts and networks, in the format of `Allowance.parse`.
    deadline_s: the time limit in seconds for the name lookup, connection, TLS handshake, body and redirects together.
    connect_timeout_s: the time limit in seconds for one connection attempt.
    max_bytes: the largest size of the decoded body.
    """

    schemes: tuple[str, ...] = ("http", "https")
    ports: tuple[int, ...] = (80, 443)
    allowed_hosts: tuple[str, ...] = ()
    max_url_bytes: int = 2048
    deadline_s: float = 20.0
    connect_timeout_s: float = 5.0
    max_redirects: int = 5
    max_bytes: int = 12 * 1024 * 1024

    def __post_init__(self) -> None:
        for entry in self.allowed_hosts:
            Allowance.parse(entry)

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        return tuple(Allowance.parse(entry) for entry in self.allowed_hosts)

    def permits(self, host: str, port: int, address: Address) -> bool:
        """Return whether the client may connect to `port` of the host `host` that has the IP address `address`."""
        if is_metadata(address):
            return False
        if port in self.ports and is_public(address):
            return True
        return any(
            entry.covers_host(host, address) and port in (entry.ports or self.ports) for entry in self.allowances
        )

    def may_permit_port(self, host: str, port: int) -> bool:
        """Return whether the policy permits `port` for at least one IP address that `host` could have.

        The function is for hosts whose IP address has not been looked up yet.
        """
        return port in self.ports or any(
            port in (entry.ports or ()) and (entry.network is not None or entry.name == host)
            for entry in self.allowances
        )


def policy_from_settings(kind: Literal["picture", "callback"]) -> Policy:
    """Return the policy that the site's settings define.

    kind: `picture` for downloads of pictures, `callback` for callbacks and webhooks. Only downloads follow redirects.
    """
    return Policy(
        allowed_hosts=tuple(settings.MATTING_FETCH_ALLOW),
        deadline_s=float(settings.MATTING_FETCH_TIMEOUT_S),
        max_bytes=settings.MATTING_MAX_IMAGE_BYTES,
        max_redirects=5 if kind == "picture" else 0,
    )


def _network_or_none(text: str) -> Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
