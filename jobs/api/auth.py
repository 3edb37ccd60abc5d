"""Authentication of API requests. A key is accepted in each dialect and in each header that its clients use."""

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
    """Return the key's secret from `Authorization: Bearer|Token …` or `X-API-KEY`; an empty string if there is none."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() in _SCHEMES:
        return secret.strip()
    return request.META.get("HTTP_X_API_KEY", "").strip()


def key_opened_by(secret: str, request: Request) -> ApiKey:
    """Return the active key with this secret and record its use.

    Raise AuthenticationRequired or PermissionDenied as `key_admitted` does.
    """
    return key_admitted(key_by_secret(secret), request)


def key_admitted(key: ApiKey | None, request: Request) -> ApiKey:
    """Check that a key is active and allowed from the request's IP address, record its use, and return it.

    Raise AuthenticationRequired for None or an inactive key, and PermissionDenied for an IP address outside the key's
    networks.
    """
    if key is None or not key.is_active:
        raise AuthenticationRequired("The API key is unknown, expired or revoked.")
    address = caller_of(request).address
    if not is_allowed_from(key, address):
        raise PermissionDenied("This key may not be used from this address.")
    key_touch(key=key, address=address)
    return key


def is_allowed_from(key: ApiKey, address: str | None) -> bool:
    """Return whether a key may be used from an IP address.

    A key without networks may be used from any address. A key with networks may not be used from an unknown address
    (None).
    """
    if not key.allowed_networks:
        return True
    if address is None:
        return False
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(text) for text in key.allowed_networks)


class KeyAuthentication(BaseAuthentication):
    """Authentication by API key. `request.auth` is the key, and `request.user` is anonymous.

    A request without a key is left to the view's next authentication class.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        secret = secret_in(request)
        if not secret:
            return None
        return AnonymousUser(), key_opened_by(secret, request)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="keyline"'


class NetworkAuthentication(BaseAuthentication):
    """Authentication of requests without a key from networks that need none (the setting MATTING_OPEN_TO).

    `request.auth` is an OpenAccess. A browser's request from a page of another site is not accepted unless that site
    may use the APIs; otherwise any page could use the network of its visitors. A request with X-Forwarded-For is not
    accepted unless the site is configured to be behind a proxy.
    """

    def authenticate(self, request: Request) -> tuple[Any, OpenAccess] | None:
        if not settings.MATTING_OPEN_TO or secret_in(request) or _is_foreign(request):
            return None
        access = open_access(caller_of(request).address)
        return None if access is None else (AnonymousUser(), access)


def _is_foreign(request: Request) -> bool:
    """Return whether the request comes from a page of another site, or was forwarded although no proxy is set."""
    origin = request.headers.get("Origin", "")
    own = f"{request.scheme}://{request.get_host()}"
    is_cross_site = origin not in ("", own, *settings.CORS_ALLOWED_ORIGINS)
    return is_cross_site or ("X-Forwarded-For" in request.headers and not settings.BEHIND_PROXY)


class BrowserSession(SessionAuthentication):
    """Authentication by the session of a signed-in browser, with the CSRF check."""


class HasScope(BasePermission):
    """Permission that requires the scopes in the view's `required_scopes[method]`.

    The default is `read` for GET, HEAD and OPTIONS, and `submit` for other methods. Raise AuthenticationRequired
    without a caller, and ScopeMissing for a missing scope.
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
    """Return who acts in the request: a team, with its user or key. Raise PermissionDenied for a user without team."""
    return caller_of(request).actor
