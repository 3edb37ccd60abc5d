"""Tests of a request's caller: the team for which the user acts, one request id, and one query for memberships."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.request import Request

from jobs.errors import AuthenticationRequired, NoTeam
from jobs.models import AuditEntry, Membership, Team
from jobs.teams.caller import caller_of
from tests.cast import Person

pytestmark = pytest.mark.django_db
PAGES = ["site:home", "site:gallery", "site:usage", "site:keys", "site:webhooks", "site:team"]


def memberships_read(queries: CaptureQueriesContext) -> int:
    """Return how many of the queries read memberships. These queries join the memberships with the teams."""
    return sum('FROM "jobs_membership" INNER JOIN "jobs_team"' in query["sql"] for query in queries)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reads_the_memberships_once(alice: Person, page: str) -> None:
    browser = alice.browser()

    with CaptureQueriesContext(connection) as queries:
        assert browser.get(reverse(page)).status_code == 200

    assert memberships_read(queries) == 1


def test_the_api_reads_the_memberships_of_a_signed_in_user_once(alice: Person) -> None:
    browser = alice.browser()

    with CaptureQueriesContext(connection) as queries:
        assert browser.get("/api/account/").status_code == 200

    assert memberships_read(queries) == 1


def test_a_drf_request_and_its_inner_request_share_one_caller() -> None:
    request = RequestFactory().get("/")

    caller = caller_of(request)

    assert caller_of(Request(request)) is caller
    assert uuid.UUID(caller.request_id) == uuid.UUID(caller_of(request).request_id)


def test_a_user_acts_for_the_team_chosen_in_the_session_and_else_for_the_oldest(alice: Person) -> None:
    other = Team.objects.create(name="Second studio")
    Membership.objects.create(team=other, user=alice.user)
    request = RequestFactory().get("/")
    request.user = alice.user
    chosen = RequestFactory().get("/")
    chosen.user, chosen.session = alice.user, {"team_id": str(other.pk)}

    assert caller_of(request).actor.team == alice.team
    assert caller_of(chosen).actor.team == other


def test_without_a_user_or_team_there_is_no_actor(alice: Person) -> None:
    signed_out, without_team = RequestFactory().get("/"), RequestFactory().get("/")
    signed_out.user, without_team.user = AnonymousUser(), alice.user
    Membership.objects.all().delete()

    with pytest.raises(AuthenticationRequired):
        _ = caller_of(signed_out).actor
    with pytest.raises(NoTeam):
        _ = caller_of(without_team).actor


def test_all_audit_entries_of_one_request_have_its_request_id(alice: Person) -> None:
    alice.browser().post(reverse("site:keys"), {"do": "create", "name": "shop", "scopes": ["read"]})

    entry = AuditEntry.objects.filter(action="key.created").first()
    assert entry is not None
    assert uuid.UUID(entry.request_id)
