"""Parse a user's URL strictly, so that the client requests exactly the URL that was checked."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote, urlsplit

import idna

from jobs.errors import UrlForbidden, UrlMalformed, UrlTooLong
from jobs.intake.fetch.address import Address
from jobs.intake.fetch.policy import Policy

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PATH_SAFE = "/%:@!$&'()*+,;=~?"
_NOT_PUBLIC = "The URL's host is not on the public Internet."
_UNREADABLE_HOST = "The URL's host cannot be read."
# urlsplit accepts "[::1]evil.example" and a port in full-width digits; this pattern does not.
_PLACE = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<plain>[^\[\]:]+))(?::(?P<port>[0-9]{0,5}))?")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
# The WHATWG URL rule: some resolvers read a host whose last label is a number as an IPv4 address.
_NUMERIC_HOST = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_WHITE_SPACE = "".join(map(chr, range(33)))  # C0 controls and the space
_LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


@dataclass(frozen=True)
class Target:
    """A parsed URL.

    host: the host name in ASCII, without a dot at the end.
    path: the path with the query.
    address: the IP address if the host is an IP address; otherwise None.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def check_url(url: str, policy: Policy, *, field: str = "") -> None:
    """Check the syntax, the scheme, the port and the IP address in a URL. The function does not use the network.

    Host names are looked up only when a connection is made, because their IP addresses may change before that time.

    field: the name of the request field. The raised error contains it.

    Raise UrlTooLong, UrlMalformed or UrlForbidden.
    """
    try:
        target_from_url(url, policy)
    except (UrlTooLong, UrlForbidden) as refusal:
        refusal.field = field
        raise


def target_from_url(url: str, policy: Policy) -> Target:
    """Parse `url` and return its parts.

    Raise UrlTooLong if the URL is too long, UrlMalformed if it is not a valid URL, and UrlForbidden if the policy does
    not permit it.
    """
    if len(url.encode("utf-8", "surrogatepass")) > policy.max_url_bytes:
        raise UrlTooLong(f"The URL is longer than {policy.max_url_bytes} bytes.")
    if "\\" in url or any(unicodedata.category(character)[0] in "ZC" for character in url):
        raise UrlMalformed("The URL holds white space, a control character or a backslash.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UrlMalformed from None
    if parts.scheme not in policy.schemes or parts.scheme not in _DEFAULT_PORTS:
        raise UrlForbidden(f"The URL must begin with {' or '.join(f'{scheme}://' for scheme in policy.schemes)}.")
    if "@" in parts.netloc:
        raise UrlForbidden("The URL may not hold a user name or password.")
    place = _PLACE.fullmatch(parts.netloc)
    if place is None:
        raise UrlMalformed(_UNREADABLE_HOST)
    host, address = _address_in_brackets(place["bracketed"]) if place["bracketed"] else _name_or_address(place["plain"])
    port = int(place["port"]) if place["port"] else _DEFAULT_PORTS[parts.scheme]
    path = quote(f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/", safe=_PATH_SAFE)
    target = Target(parts.scheme, host, port, path, address)
    _check_reach(target, policy)
    return target


def redirect_target(location: str) -> str:
    """Return the value of a `Location` header as a valid URL reference, corrected as browsers do (WHATWG URL Standard).

    location: the header decoded as Latin-1, as HTTP libraries do.

    If the bytes of the header are valid UTF-8, they are decoded as UTF-8. Otherwise the non-ASCII bytes are
    percent-encoded. Outer white space, tabs and line breaks are removed. Other inner white space and invisible
    characters are percent-encoded. A backslash before the query becomes a slash. Existing percent-encoding does not
    change.
    """
    location = location.strip(_WHITE_SPACE)
    try:
        location = location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        location = "".join(character if character < "\x80" else f"%{ord(character):02X}" for character in location)
    location = location.translate(dict.fromkeys(map(ord, "\t\r\n")))
    end = min((place for mark in "?#" if (place := location.find(mark)) >= 0), default=len(location))
    location = location[:end].replace("\\", "/") + location[end:].replace("\\", "%5C")
    return "".join(
        quote(character) if unicodedata.category(character)[0] in "ZC" else character for character in location
    )


def _address_in_brackets(text: str) -> tuple[str, Address]:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise UrlMalformed(_UNREADABLE_HOST) from None
    if address.scope_id:
        raise UrlForbidden(_NOT_PUBLIC)
    return address.compressed, address


def _name_or_address(host: str) -> tuple[str, Address | None]:
    try:
        # Map before every other check of the host: mapping turns full-width digits and dots into plain ones.
        host = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise UrlMalformed(_UNREADABLE_HOST) from None
    host = host.lower().removesuffix(".")
    if _NUMERIC_HOST.fullmatch(host):
        try:
            return host, ip_address(host)
        except ValueError:
            raise UrlForbidden("The URL's host is a number; write the address as four decimal parts.") from None
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise UrlMalformed(_UNREADABLE_HOST)
    return host, None


def _check_reach(target: Target, policy: Policy) -> None:
    if not policy.may_permit_port(target.host, target.port):
        raise UrlForbidden(f"Port {target.port} is not allowed.")
    if target.address is not None:
        known: tuple[Address, ...] = (target.address,)
    elif target.host == "localhost" or target.host.endswith(".localhost"):
        known = _LOOPBACK  # RFC 6761: this name always means the machine itself
    else:
        return
    if not any(policy.permits(target.host, target.port, address) for address in known):
        raise UrlForbidden(_NOT_PUBLIC)
