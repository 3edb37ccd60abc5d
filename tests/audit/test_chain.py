"""Tests of the audit trail: the database rejects changes, and the verification detects a changed trail."""

from __future__ import annotations

import json
from importlib import import_module
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from jobs.audit.trail import Author, audit_append
from jobs.audit.verification import audit_verify
from jobs.models import Action, AuditEntry, AuditHead

pytestmark = pytest.mark.django_db

triggers = import_module("jobs.migrations.0019_audit_erasure")


@pytest.fixture
def chain() -> list[AuditEntry]:
    """Write five audit entries with different texts and values, and return them."""
    return [
        audit_append(action=Action.SIGNED_IN, author=Author(name="alice", address="203.0.113.7")),
        audit_append(action=Action.QUOTA_CHANGED, author=Author(name="ädmin"), before={"a": None}, after={"a": 1.5}),
        audit_append(action=Action.SIGN_IN_FAILED, author=Author(name="x\x00y" * 200), after={"name": "nul\x00"}),
        audit_append(action=Action.ROLE_CHANGED, author=Author(name="alice"), after={"名": ["owner", True]}),
        audit_append(action=Action.SIGNED_OUT, author=Author()),
    ]


def as_the_database_owner(statement: str, *values: object) -> None:
    """Execute an SQL statement without the triggers that forbid changes, as the owner of the database could do."""
    with connection.cursor() as cursor:
        for drop in triggers.statements_to_drop(connection.vendor):
            cursor.execute(drop)
        cursor.execute(statement, values)
        for create in triggers.statements_to_create(connection.vendor):
            cursor.execute(create)


def test_an_untouched_chain_has_no_problem(chain: list[AuditEntry]) -> None:
    verdict = audit_verify()

    assert verdict.problems == []
    assert (verdict.count, verdict.last_number, verdict.last_hash) == (5, 5, chain[-1].hash)


@pytest.mark.parametrize(
    "change",
    [
        lambda: AuditEntry.objects.filter(number=2).update(actor_name="another"),
        lambda: AuditEntry.objects.filter(number=2).delete(),
        lambda: AuditEntry.objects.get(number=2).delete(),
        lambda: AuditEntry(number=2, action="x", actor_name="x", at="2026-01-01T00:00Z", hash="x").save(),
        lambda: AuditHead.objects.update(number=0),
        lambda: AuditHead.objects.all().delete(),
    ],
    ids=["update", "delete", "delete one", "overwrite", "wind back", "forget"],
)
def test_the_database_refuses_to_change_or_delete_an_entry(chain: list[AuditEntry], change: object) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()

    assert audit_verify().problems == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="no other database has the statement")
@pytest.mark.parametrize(
    ("table", "row"),
    [("jobs_auditentry", "number = 5"), ("jobs_audithead", "id = 1")],
)
def test_sqlite_refuses_to_replace_an_entry_by_another_one(chain: list[AuditEntry], table: str, row: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE {row}")

    assert audit_verify().problems == []


@pytest.mark.parametrize("address", ["::ffff:203.0.113.5", "2001:DB8::1", "::1.2.3.4"])
def test_an_address_may_be_written_in_another_way_by_the_database(chain: list[AuditEntry], address: str) -> None:
    audit_append(action=Action.SIGNED_IN, author=Author(name="alice", address=address))

    assert audit_verify().problems == []


def test_values_are_hashed_as_every_database_gives_them_back(chain: list[AuditEntry]) -> None:
    values = {"large": 1e16, "huge": -1e22, "zero": -0.0, "part": 0.1, "many": [{"n": 2e300}]}

    entry = audit_append(action=Action.QUOTA_CHANGED, author=Author(name="alice"), after=values)

    # PostgreSQL's numeric returns these values without exponents and without a negative zero.
    assert json.dumps(entry.after["large"]) == "10000000000000000"
    assert json.dumps(entry.after["huge"]) == "-10000000000000000000000"
    assert json.dumps(entry.after["zero"]) == "0.0"
    assert isinstance(entry.after["many"][0]["n"], int)
    assert entry.after == values
    assert audit_verify().problems == []


def test_text_keeps_its_letters_and_loses_what_no_database_takes(chain: list[AuditEntry]) -> None:
    entry = audit_append(
        action=Action.TEAM_CHANGED, author=Author(name="a\ud800"), after={"name": r"C:\u0000", "nul": "a\x00b\ud800"}
    )

    entry.refresh_from_db()

    assert entry.after == {"name": r"C:\u0000", "nul": "ab?"}
    assert entry.actor_name == "a?"
    assert audit_verify().problems == []


def test_a_changed_entry_is_found(chain: list[AuditEntry]) -> None:
    as_the_database_owner("UPDATE jobs_auditentry SET actor_name = %s WHERE number = %s", "mallory", 2)

    assert audit_verify().problems == ["entry 2 was changed"]


def test_a_missing_entry_is_found(chain: list[AuditEntry]) -> None:
    as_the_database_owner("DELETE FROM jobs_auditentry WHERE number = %s", 3)

    assert audit_verify().problems == ["entry 3 is missing"]


def test_a_cut_off_end_is_found(chain: list[AuditEntry]) -> None:
    as_the_database_owner("DELETE FROM jobs_auditentry WHERE number >= %s", 4)

    assert audit_verify().problems == ["entries 4 to 5 are missing: the end was cut off"]


def test_an_entry_that_was_changed_and_hashed_again_is_found(chain: list[AuditEntry]) -> None:
    forged = chain[1]
    forged.actor_name = "mallory"
    statement = "UPDATE jobs_auditentry SET actor_name = %s, hash = %s WHERE number = 2"
    as_the_database_owner(statement, "mallory", forged.expected_hash())

    assert audit_verify().problems == ["entry 3 does not follow entry 2: one of them was replaced"]


def test_a_head_that_was_wound_back_is_found(chain: list[AuditEntry]) -> None:
    as_the_database_owner("UPDATE jobs_audithead SET number = 4, hash = %s", chain[3].hash)

    assert audit_verify().problems == ["the head says entry 4, the last entry is 5"]


def test_an_entry_of_a_deed_that_is_rolled_back_is_not_there(chain: list[AuditEntry]) -> None:
    with transaction.atomic():
        audit_append(action=Action.SIGNED_IN, author=Author(name="alice"))
        transaction.set_rollback(True)

    assert audit_verify().count == 5


def test_verify_audit_says_that_all_is_well_and_gives_the_last_hash(chain: list[AuditEntry]) -> None:
    out = StringIO()

    call_command("verify_audit", stdout=out)

    assert "5 entries" in out.getvalue()
    assert chain[-1].hash in out.getvalue()


def test_verify_audit_fails_and_names_every_problem(chain: list[AuditEntry]) -> None:
    as_the_database_owner("UPDATE jobs_auditentry SET object_name = %s WHERE number IN (1, 4)", "x")

    with pytest.raises(CommandError) as failure:
        call_command("verify_audit", stdout=StringIO())

    assert "entry 1 was changed" in str(failure.value)
    assert "entry 4 was changed" in str(failure.value)


def test_verify_audit_compares_with_a_hash_that_was_noted_elsewhere(chain: list[AuditEntry]) -> None:
    call_command("verify_audit", expect=f"3:{chain[2].hash}", stdout=StringIO())

    with pytest.raises(CommandError, match="entry 3"):
        call_command("verify_audit", expect=f"3:{chain[1].hash}", stdout=StringIO())
