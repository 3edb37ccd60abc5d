"""The cast of every test: Alice owns a team, Bob is in it, Charlie has a team of his own."""

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
    """Hold one of the cast with everything that tests act through."""

    user: User
    team: Team
    membership: Membership
    key: ApiKey
    secret: str

    @property
    def actor(self) -> Actor:
        """Give the person as services see them when they come through the browser."""
        return Actor(team=self.team, user=self.user, membership=self.membership)

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers of a program that calls with this person's key."""
        return {"Authorization": f"Bearer {self.secret}"}

    def api(self, **defaults: Any) -> Client:
        """Give a test client that sends the key with every request."""
        return Client(headers=self.headers, **defaults)

    def browser(self) -> Client:
        """Give a test client that is signed in."""
        client = Client()
        client.force_login(self.user)
        return client


def make_person(
    name: str, team: Team, role: Membership.Role, *, scopes: tuple[str, ...] = tuple(Scope.values)
) -> Person:
    """Make a user of `team` with a key that holds `scopes` (all of them by default)."""
    user = User.objects.create_user(name, email=f"{name}@example.com", password=PASSWORD)
    membership = Membership.objects.create(team=team, user=user, role=role)
    key, secret = key_create(team=team, name=f"{name}'s key", scopes=scopes, created_by=user)
    return Person(user, team, membership, key, secret)
