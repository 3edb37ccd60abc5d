"""Open networks: networks whose requests need no API key. MATTING_OPEN_TO assigns a team to each open network."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from jobs.models import Team

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class OpenNetwork:
    """An open network, and the name of the team for which requests from this network act."""

    network: IPNetwork
    team_name: str

    def __str__(self) -> str:
        return f"{self.network} acts for {self.team_name}"


@dataclass(frozen=True, slots=True)
class OpenAccess:
    """The access of a request from an open network. It replaces the API key in `request.auth`."""

    team: Team
    network: str


def open_networks(entries: Sequence[str] | None = None) -> list[OpenNetwork]:
    """Return the open networks that the entries define. An entry has the form `network=team`.

    entries: the entries; None means the setting MATTING_OPEN_TO.
    Raise ValueError for an invalid entry.
    """
    found = []
    for entry in settings.MATTING_OPEN_TO if entries is None else entries:
        network, separator, team_name = entry.partition("=")
        if not separator or not team_name.strip():
            raise ValueError(f"{entry!r} is not NETWORK=TEAM")
        found.append(OpenNetwork(ipaddress.ip_network(network.strip(), strict=False), team_name.strip()))
    return found


def open_access(address: str | None) -> OpenAccess | None:
    """Return the access that an IP address has without an API key.

    Return None if the address is unknown (None), if it is outside the open networks, or if the network's team does not
    exist.
    """
    if address is None or not settings.MATTING_OPEN_TO:
        return None
    caller = ipaddress.ip_address(address)
    for entry in open_networks():
        if caller.version == entry.network.version and caller in entry.network:
            team = Team.objects.select_related("quota").filter(name=entry.team_name).first()
            return None if team is None else OpenAccess(team, str(entry.network))
    return None
