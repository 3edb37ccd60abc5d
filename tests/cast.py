"""The users in the tests: Alice owns a team, Bob is a member of it, Charlie owns another team."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from jobs.models import ApiKey, Membership, Scope, Team
from jobs.teams.actor import Actor
from jobs.teams.keys import key_create

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Person:
    """One user of the tests, with a team, an API key and test clients."""

    user: User
    team: Team
    membership: Membership
    key: ApiKey
    secret: str

    @property
    def actor(self) -> Actor:
        """Return the Actor (who acts, and for which team) of a request that this user sends in the browser."""
        return Actor(team=self.team, user=self.user, membership=self.membership)

    @property
    def headers(self) -> dict[str, str]:
        """Return the HTTP headers of a program that uses this user's key."""
        return {"Authorization": f"Bearer {self.secret}"}

    def api(self, **defaults: Any) -> Client:
        """Return a test client that sends this user's key. defaults: other arguments for the test client."""
        return Client(headers=self.headers, **defaults)

    def browser(self) -> Client:
        """Return a test client in which this user is signed in."""
        client = Client()
        client.force_login(self.user)
        return client


def make_person(
    name: str, team: Team, role: Membership.Role, *, scopes: tuple[str, ...] = tuple(Scope.values)
) -> Person:
    """Create a user with a role in `team`, and an API key with `scopes` (by default all scopes); return the Person."""
    user = User.objects.create_user(name, email=f"{name}@example.com", password=PASSWORD)
    membership = Membership.objects.create(team=team, user=user, role=role)
    key, secret = key_create(team=team, name=f"{name}'s key", scopes=scopes, created_by=user)
    return Person(user, team, membership, key, secret)
