"""Tell whether an IP address is public. The functions of this module do not use the network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Special-purpose ranges that some supported Python releases still report as global (IANA's registries, 2025).
_SPECIAL_V4 = tuple(IPv4Network(text) for text in ("192.0.0.0/24", "192.88.99.0/24"))
_SPECIAL_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "3fff::/20"))  # the first range contains Teredo
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")

# Addresses where clouds give credentials to programs on their machines. No allow-list permits them.
_METADATA = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",  # AWS, Google, Azure, OpenStack, ECS and EKS task credentials; all of IPv4 link-local
        "fe80::/10",
        "fd00:ec2::/32",  # AWS over IPv6
        "fd20:ce::254/128",  # Google over IPv6
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure's host agent, for which is_global returns True
        "192.0.0.192/32",  # Oracle
    )
)

_IPV4_IN_LAST_32_BITS = tuple(
    IPv6Network(text)
    for text in (
        "::/96",  # IPv4-compatible, RFC 4291
        "::ffff:0:0/96",  # IPv4-mapped, RFC 4291
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765
        "64:ff9b::/96",  # NAT64, RFC 6052
    )
)
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")  # RFC 8215; the position of the IPv4 address depends on the site
_SIX_TO_FOUR = IPv6Network("2002::/16")  # RFC 3056
_TEREDO = IPv6Network("2001::/32")  # RFC 4380
_ISATAP_MARKS = (0x00005EFE, 0x02005EFE)  # RFC 5214, bits 32 to 63


def embedded_addresses(address: Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that are embedded in an IPv6 address. A gateway might connect to these addresses.

    The result is empty if the address contains none.
    """
    if isinstance(address, IPv4Address):
        return ()
    number = int(address)
    found = []
    if any(address in network for network in _IPV4_IN_LAST_32_BITS):
        found.append(number)
    if address in _NAT64_LOCAL:
        # The site chooses the length (RFC 6052, 2.2): /48 skips bits 64 to 71, /96 takes the last 32 bits.
        found += [number, ((number >> 64) & 0xFFFF) << 16 | ((number >> 40) & 0xFFFF)]
    if address in _SIX_TO_FOUR:
        found.append(number >> 80)
    if address in _TEREDO:
        found += [number >> 64, ~number]  # the server, and the client with its bits inverted
    if (number >> 32) & 0xFFFFFFFF in _ISATAP_MARKS:
        found.append(number)
    return tuple(IPv4Address(bits & 0xFFFFFFFF) for bits in found)


def is_metadata(address: Address) -> bool:
    """Return whether `address`, or an IPv4 address embedded in it, belongs to the metadata service of a cloud.

    A metadata service gives the credentials of a machine to every program that runs on this machine.
    """
    return any(
        candidate.version == network.version and candidate in network
        for candidate in (address, *embedded_addresses(address))
        for network in _METADATA
    )


def is_public(address: Address) -> bool:
    """Return whether `address`, and each IPv4 address embedded in it, is a public unicast address.

    Python's own properties are not enough. `not is_private` accepts 100.64.0.0/10, and `is_global` accepts embedded
    addresses that are private, such as 2002:a00:1::, which contains 10.0.0.1.
    """
    if is_metadata(address):
        return False
    if isinstance(address, IPv4Address):
        return _is_public_v4(address)
    embedded = embedded_addresses(address)
    if any(address in network for network in (*_IPV4_IN_LAST_32_BITS, _SIX_TO_FOUR)):
        return all(_is_public_v4(inner) for inner in embedded)
    return (
        address in _GLOBAL_UNICAST_V6
        and address.is_global
        and not any(address in network for network in _SPECIAL_V6)
        and all(_is_public_v4(inner) for inner in embedded)
    )


def _is_public_v4(address: IPv4Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _SPECIAL_V4)
    )
