"""Networks that need no key. `MATTING_OPEN_TO` assigns each of them to the team that its requests act for."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from jobs.models import Team

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class OpenNetwork:
    """A network and the name of the team that its requests act for."""

    network: IPNetwork
    team_name: str

    def __str__(self) -> str:
        return f"{self.network} acts for {self.team_name}"


@dataclass(frozen=True, slots=True)
class OpenAccess:
    """The access of a request from an open network; it replaces the key in `request.auth`."""

    team: Team
    network: str


def open_networks(entries: Sequence[str] | None = None) -> list[OpenNetwork]:
    """Parse `network=team` entries, by default those of MATTING_OPEN_TO; raise ValueError for an invalid one."""
    found = []
    for entry in settings.MATTING_OPEN_TO if entries is None else entries:
        network, separator, team_name = entry.partition("=")
        if not separator or not team_name.strip():
            raise ValueError(f"{entry!r} is not NETWORK=TEAM")
        found.append(OpenNetwork(ipaddress.ip_network(network.strip(), strict=False), team_name.strip()))
    return found


def open_access(address: str | None) -> OpenAccess | None:
    """Return the access of an IP address without a key; None outside open networks or when the team does not exist."""
    if address is None or not settings.MATTING_OPEN_TO:
        return None
    caller = ipaddress.ip_address(address)
    for entry in open_networks():
        if caller.version == entry.network.version and caller in entry.network:
            team = Team.objects.select_related("quota").filter(name=entry.team_name).first()
            return None if team is None else OpenAccess(team, str(entry.network))
    return None
