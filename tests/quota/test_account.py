"""Tests of `GET /api/account`: it returns the limits and the usage of the caller's team."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Person

from .actions import claim, set_quota, submit, submit_file

pytestmark = pytest.mark.django_db


def test_the_account_gives_limits_use_what_is_left_and_when_it_resets(alice: Person) -> None:
    set_quota(alice, images_per_day=10, stored_bytes=10**9, running_tasks=2, max_image_bytes=5_000_000)
    claim(submit(alice, 3).images.first())
    source = submit_file(alice).artifacts.get()

    account = alice.api().get("/api/account").json()

    today = account["pictures_today"]
    assert (today["limit"], today["used"], today["left"]) == (10, 4, 6)
    midnight = dt.datetime.fromisoformat(today["resets_at"])
    assert dt.timedelta(0) < midnight - timezone.now() <= dt.timedelta(days=1)
    assert account["pictures_this_month"] == {
        "limit": None,
        "used": 4,
        "left": None,
        "resets_at": account["pictures_this_month"]["resets_at"],
    }
    assert account["stored_bytes"] == {"limit": 10**9, "used": source.bytes, "left": 10**9 - source.bytes}
    assert account["running_tasks"] == {"limit": 2, "used": 1, "left": 1}
    assert account["pending_tasks"]["used"] == 3
    assert account["limits"]["max_image_bytes"] == 5_000_000


def test_the_account_names_team_and_key(alice: Person) -> None:
    account = alice.api().get("/api/account").json()

    assert account["team"]["name"] == "Studio"
    assert (account["key"]["id"], account["key"]["name"]) == (alice.key.public_id, "alice's key")
    assert alice.browser().get("/api/account").json()["key"] is None


def test_a_stranger_has_no_account(db: None) -> None:
    assert Client().get("/api/account").status_code == 401
