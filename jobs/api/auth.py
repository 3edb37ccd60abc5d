"""Authenticate API requests: by API key, by the caller's network, or by the session of a signed-in browser.

Each API accepts a key in every header that the clients of that API use.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from jobs.errors import AuthenticationRequired, PermissionDenied, ScopeMissing
from jobs.models import ApiKey
from jobs.teams.actor import Actor
from jobs.teams.caller import caller_of
from jobs.teams.keys import key_touch
from jobs.teams.open_networks import OpenAccess, open_access
from jobs.teams.selectors import key_by_secret

if TYPE_CHECKING:
    from rest_framework.views import APIView  # the import depends on the setting that names this module

_SCHEMES = ("bearer", "token")


def secret_in(request: Request) -> str:
    """Return the secret of the API key in a request's headers; an empty string if the request has no key.

    The header is `Authorization: Bearer …`, `Authorization: Token …` or `X-API-KEY: …`.
    """
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() in _SCHEMES:
        return secret.strip()
    return request.META.get("HTTP_X_API_KEY", "").strip()


def key_opened_by(secret: str, request: Request) -> ApiKey:
    """Return the active API key with this secret, and record that the key was used.

    Raise AuthenticationRequired if no active key has this secret. Raise PermissionDenied if the key may not be used
    from the request's IP address.
    """
    return key_admitted(key_by_secret(secret), request)


def key_admitted(key: ApiKey | None, request: Request) -> ApiKey:
    """Return `key` if the request may use it, and record that the key was used.

    key: None means that no key was found.

    Raise AuthenticationRequired if `key` is None or not active. Raise PermissionDenied if the request's IP address is
    outside the key's networks.
    """
    if key is None or not key.is_active:
        raise AuthenticationRequired("The API key is unknown, expired or revoked.")
    address = caller_of(request).address
    if not is_allowed_from(key, address):
        raise PermissionDenied("This key may not be used from this address.")
    key_touch(key=key, address=address)
    return key


def is_allowed_from(key: ApiKey, address: str | None) -> bool:
    """Return whether an API key may be used from an IP address.

    A key without networks may be used from any address. A key with networks may not be used from an unknown address.

    address: the caller's IP address; None if it is unknown.
    """
    if not key.allowed_networks:
        return True
    if address is None:
        return False
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(text) for text in key.allowed_networks)


class KeyAuthentication(BaseAuthentication):
    """Authenticate a request by its API key. Set `request.auth` to the key and `request.user` to an anonymous user.

    If a request has no key, the framework tries the view's next authentication class.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        secret = secret_in(request)
        if not secret:
            return None
        return AnonymousUser(), key_opened_by(secret, request)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="keyline"'


class NetworkAuthentication(BaseAuthentication):
    """Authenticate a request without a key if it comes from a network that needs no key (setting MATTING_OPEN_TO).

    For an accepted request, `request.auth` is an OpenAccess. Two kinds of requests are not accepted:
    - A request from a web page of another site, unless CORS_ALLOWED_ORIGINS contains that site. Otherwise any web page
      could use the network of its visitors.
    - A request with the header X-Forwarded-For, unless the site is configured to be behind a proxy.
    """

    def authenticate(self, request: Request) -> tuple[Any, OpenAccess] | None:
        if not settings.MATTING_OPEN_TO or secret_in(request) or _is_foreign(request):
            return None
        access = open_access(caller_of(request).address)
        return None if access is None else (AnonymousUser(), access)


def _is_foreign(request: Request) -> bool:
    """Return whether a web page of another site sent the request, or an unknown proxy forwarded the request.

    Every proxy is unknown if the site is not configured to be behind a proxy.
    """
    origin = request.headers.get("Origin", "")
    own = f"{request.scheme}://{request.get_host()}"
    is_cross_site = origin not in ("", own, *settings.CORS_ALLOWED_ORIGINS)
    return is_cross_site or ("X-Forwarded-For" in request.headers and not settings.BEHIND_PROXY)


class BrowserSession(SessionAuthentication):
    """Authenticate a request by the session of a signed-in browser, and check the CSRF token."""


class HasScope(BasePermission):
    """Allow a request if the caller has all scopes in the view's `required_scopes[method]`.

    If the view lists no scopes for a method, GET, HEAD and OPTIONS need `read`, and other methods need `submit`. Raise
    AuthenticationRequired if the request is not authenticated. Raise ScopeMissing if the caller does not have a scope.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.auth is None and not request.user.is_authenticated:
            raise AuthenticationRequired
        scopes = getattr(view, "required_scopes", {})
        usual = ("read",) if request.method in ("GET", "HEAD", "OPTIONS") else ("submit",)
        actor = actor_of(request)
        for needed in scopes.get(request.method, usual):
            if not actor.has_scope(needed):
                raise ScopeMissing(needed)
        return True


def request_id_of(request: HttpRequest | Request) -> str:
    """Return the id that identifies this request in logs and responses."""
    return caller_of(request).request_id


def actor_of(request: Request) -> Actor:
    """Return the actor of the request: the team, and the user or API key that acts for the team.

    Raise PermissionDenied if the user has no team.
    """
    return caller_of(request).actor
