"""Tests that the database rejects changes of the usage ledger, except when a team is erased."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from jobs.audit.trail import Author
from jobs.models import AuditEntry, UsageEntry, UsageErasure, UsagePeriod
from jobs.quota.erasure import usage_erase
from tests.cast import Person
from tests.quota.actions import ledger_sum, submit

pytestmark = pytest.mark.django_db


def replace_line() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT OR REPLACE INTO jobs_usageentry SELECT * FROM jobs_usageentry")


@pytest.mark.parametrize(
    "change",
    [
        lambda: UsageEntry.objects.update(pictures=0),
        lambda: UsageEntry.objects.all().delete(),
        lambda: UsageEntry.objects.get().save(),
        pytest.param(replace_line, marks=pytest.mark.skipif("connection.vendor != 'sqlite'")),
    ],
    ids=["update", "delete", "save", "replace"],
)
def test_no_line_is_changed_or_deleted(alice: Person, change) -> None:
    submit(alice, 2)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()

    assert ledger_sum(alice) == 2


def test_a_team_with_usage_is_not_deleted(alice: Person) -> None:
    submit(alice)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        alice.team.delete()


def test_erasing_a_teams_usage_is_recorded_and_leaves_other_teams_alone(alice: Person, charlie: Person) -> None:
    submit(alice, 2)
    submit(charlie, 3)

    assert usage_erase(author=Author(), team=alice.team) == 1

    assert (ledger_sum(alice), ledger_sum(charlie)) == (0, 3)
    assert not UsagePeriod.objects.filter(team=alice.team).exists()
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.team_name, entry.before) == ("usage.erased", "Studio", {"lines": 1, "pictures": 2})
    assert not UsageErasure.objects.exists()
    alice.team.delete()


def test_after_an_erasure_the_ledger_is_guarded_as_before(alice: Person) -> None:
    submit(alice)
    usage_erase(author=Author(), team=alice.team)
    submit(alice)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        UsageEntry.objects.all().delete()
