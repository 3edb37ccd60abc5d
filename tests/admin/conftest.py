"""Fixtures of the tests of the admin site: staff users for each role (group of permissions), and sample jobs."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from jobs.teams.roles import roles_sync


@pytest.fixture(autouse=True)
def _fresh_figures() -> None:
    cache.clear()


def staff_browser(role: str | None) -> Client:
    """Return a test client in which a new staff user is signed in.

    role: the name of a predefined group of permissions; empty for a staff user without a role, None for a superuser.
    """
    name = role or ("root" if role is None else "without-role")
    user = User.objects.create_user(name.replace(" ", "-").lower(), is_staff=True, is_superuser=role is None)
    if role:
        roles_sync()
        user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def root(db: None) -> Client:
    return staff_browser(None)


@pytest.fixture
def operator(db: None) -> Client:
    return staff_browser("Operator")


@pytest.fixture
def auditor(db: None) -> Client:
    return staff_browser("Auditor")


@pytest.fixture
def team_manager(db: None) -> Client:
    return staff_browser("Team manager")


@pytest.fixture
def sample_jobs(db: None) -> None:
    call_command("seed_jobs", jobs=120, teams=3, days=20, files=2, stdout=StringIO())
