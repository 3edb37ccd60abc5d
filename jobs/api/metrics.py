"""Return metrics at `/metrics` for Prometheus. Callers need a token or an IP address in an allowed network."""

from __future__ import annotations

import hmac
import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from jobs.running.metrics import exposition
from jobs.teams.caller import client_address


def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics if the caller has the token or comes from an allowed network; otherwise return status 401.

    Return status 404 if neither a token nor a network is configured.
    """
    if not settings.MATTING_METRICS_TOKEN and not settings.MATTING_METRICS_NETWORKS:
        return HttpResponse("Not found.\n", status=404, content_type="text/plain")
    if not (_has_token(request) or _is_in_network(request)):
        return HttpResponse(
            "A token is needed.\n", status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"}
        )
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    token: str = settings.MATTING_METRICS_TOKEN
    return bool(token) and hmac.compare_digest(sent.encode(), token.encode())


def _is_in_network(request: HttpRequest) -> bool:
    address = client_address(request)
    networks = [ipaddress.ip_network(network, strict=False) for network in settings.MATTING_METRICS_NETWORKS]
    return address is not None and any(ipaddress.ip_address(address) in network for network in networks)
