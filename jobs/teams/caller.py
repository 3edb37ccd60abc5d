"""The sender of a request: IP address, request id, memberships and actor.

Each value is computed at most once per request.
"""

from __future__ import annotations

import ipaddress
from functools import cached_property

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from jobs.audit.trail import Author
from jobs.errors import AuthenticationRequired, NoTeam
from jobs.models import ApiKey, Membership, Team
from jobs.teams.actor import Actor
from jobs.teams.open_networks import OpenAccess
from jobs.telemetry.requests import bind_caller, request_id_of

TEAM_KEY = "team_id"  # key of the session: the team that the user has chosen
_ATTRIBUTE = "keyline"


class Caller:
    """The sender of one request. Most values are computed at their first use and then cached.

    Read `actor` only after authentication, because it depends on the user or on the API key in `request.auth`.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def request_id(self) -> str:
        """Return the id that identifies this request in logs, responses and audit entries."""
        return request_id_of(self._request)

    @cached_property
    def address(self) -> str | None:
        return client_address(self._request)

    @property
    def user(self) -> User:
        """Return the signed-in user; raise AuthenticationRequired if the user is not signed in."""
        user = self._request.user
        if not isinstance(user, User):
            raise AuthenticationRequired
        return user

    @cached_property
    def memberships(self) -> list[Membership]:
        """Return the user's memberships with their teams and quotas, oldest first. They are read with one query."""
        rows = Membership.objects.select_related("team__quota").filter(user=self.user)
        return list(rows.order_by("created_at"))

    @cached_property
    def membership(self) -> Membership | None:
        """Return the user's membership in the chosen team, or otherwise the user's oldest membership.

        Return None if the user has no membership.
        """
        session = getattr(self._request, "session", None)
        chosen = None if session is None else session.get(TEAM_KEY)
        of_chosen = (entry for entry in self.memberships if str(entry.team_id) == chosen)
        return next(of_chosen, self.memberships[0] if self.memberships else None)

    @cached_property
    def actor(self) -> Actor:
        """Return the actor of the request: a team, with the API key, the open network or the user of the request.

        A request from an open network needs no key. A signed-in user acts for the chosen team. Raise NoTeam if a
        signed-in user has no team.
        """
        key = getattr(self._request, "auth", None)
        if isinstance(key, ApiKey):
            return self.key_actor(key)
        if isinstance(key, OpenAccess):
            return Actor(team=key.team, network=key.network, address=self.address, request_id=self.request_id)
        membership = self.membership
        if membership is None:
            raise NoTeam
        bind_caller(team=membership.team_id, user=self.user.pk)
        return Actor(
            team=membership.team,
            user=self.user,
            membership=membership,
            address=self.address,
            request_id=self.request_id,
        )

    def key_actor(self, key: ApiKey) -> Actor:
        """Return an actor for an API key, even if `request.auth` does not contain this key."""
        bind_caller(team=key.team_id, key=key.public_id)
        return Actor(team=key.team, key=key, address=self.address, request_id=self.request_id)

    def staff_actor(self, team: Team) -> Actor:
        """Return the actor for a signed-in staff user who works on an object of `team`."""
        return Actor(team=team, user=self.user, address=self.address, request_id=self.request_id)

    def author(self, *, team: Team | None = None) -> Author:
        """Return the signed-in user as the author of an audit entry.

        team: the team for which the user acts; None means no team.
        """
        return Author.person(self.user, team=team, address=self.address, request_id=self.request_id)

    def author_as(self, user: User) -> Author:
        """Return `user` as the author of an audit entry.

        Use this method at sign-in and sign-out, because at these times `request.user` may not be this user.
        """
        return Author.person(user, address=self.address, request_id=self.request_id)


def caller_of(request: HttpRequest) -> Caller:
    """Return the Caller of a request. All calls for the same request return the same object.

    A DRF request and the Django request that it wraps have the same Caller.
    """
    inner: HttpRequest = getattr(request, "_request", request)
    caller: Caller | None = getattr(inner, _ATTRIBUTE, None)
    if caller is None:
        caller = Caller(inner)
        setattr(inner, _ATTRIBUTE, caller)
    return caller


def client_address(request: HttpRequest) -> str | None:
    """Return the client's IP address; None if the address is missing or invalid.

    Behind a trusted proxy, this is the last address in X-Forwarded-For, if the request has this header. An IPv4 address
    in IPv6 form (`::ffff:203.0.113.5`) is returned as IPv4. An IPv6 address is returned without its zone. In these
    forms, the address can be compared with allowed networks, and the database returns it unchanged.
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
    return None if found is None else str(found)
