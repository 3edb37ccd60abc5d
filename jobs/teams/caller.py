"""Find out which IP address a request comes from."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Give the caller's address; behind a trusted proxy the last hop that the proxy added.

    An IPv4 caller of a socket that speaks both versions (`::ffff:203.0.113.5`) is told as what it is, and an address
    without the name of this machine's network card: so networks match it, and the database gives it back unchanged.
    """
    address = request.META.get("REMOTE_ADDR") or None
    if settings.BEHIND_PROXY:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        address = forwarded or address
    try:
        found = ipaddress.ip_address(address) if address else None
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or ipaddress.IPv6Address(int(found))
    return found and str(found)
