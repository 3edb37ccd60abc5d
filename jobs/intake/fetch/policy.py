"""The hosts and ports to which the guarded client may connect."""

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
    """A host or network that the operator allows. Either `name` or `network` is set.

    ports: the allowed ports; None: the ports of the policy.
    """

    name: str = ""
    network: Network | None = None
    ports: range | None = None

    @staticmethod
    @lru_cache(maxsize=256)
    def parse(text: str) -> Allowance:
        """Return the parsed entry: `images.internal:8443`, `10.1.0.0/16`, `127.0.0.1:*` (any port) or `[fd00::1]:9000`.

        Raise ValueError with the entry, so that the site does not start with a typing error in this setting.
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
        """Return whether this entry allows `host` or its `address`, on any port."""
        if self.network is None:
            return host == self.name
        return address is not None and address.version == self.network.version and address in self.network


@dataclass(frozen=True)
class Policy:
    """The permitted hosts and ports, and the limits on time (seconds) and size (bytes) of a response.

    ports: the permitted ports of public addresses. allowed_hosts: entries for `Allowance.parse`, permitted in addition.
    deadline_s: the limit for name lookup, connection, TLS, body and redirects together.
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
        """Return whether a connection to `port` of the IP address `address` of `host` is permitted."""
        if is_metadata(address):
            return False
        if port in self.ports and is_public(address):
            return True
        return any(
            entry.covers_host(host, address) and port in (entry.ports or self.ports) for entry in self.allowances
        )

    def may_permit_port(self, host: str, port: int) -> bool:
        """Return whether `port` is permitted for at least one possible IP address of `host`."""
        return port in self.ports or any(
            port in (entry.ports or ()) and (entry.network is not None or entry.name == host)
            for entry in self.allowances
        )


def policy_from_settings(kind: Literal["picture", "callback"]) -> Policy:
    """Return the policy for downloads (`picture`) or for callbacks (`callback`), built from the settings."""
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
