"""Tests that erase users and teams: files, rows and names are removed, and the audit trail stays valid.

They also test that an export contains all data.
"""

from __future__ import annotations

import json
import zipfile
from io import StringIO
from pathlib import Path

import pytest
from allauth.socialaccount.models import SocialAccount
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from jobs.audit.trail import Author, audit_append
from jobs.audit.verification import audit_verify
from jobs.models import Action, ApiKey, AuditEntry, AuditErasure, Invitation, Job, Membership, Team, UsageEntry
from tests.audit.test_chain import as_the_database_owner
from tests.cast import Person
from tests.quota.actions import submit, submit_file

pytestmark = pytest.mark.django_db


def files() -> list[str]:
    folders, names = default_storage.listdir("teams") if default_storage.exists("teams") else ([], [])
    return [*names, *(f"teams/{folder}" for folder in folders if any(default_storage.listdir(f"teams/{folder}")[0]))]


def everything_in_the_database() -> str:
    """Return all values in all rows of the database as one text."""
    parts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            parts += [str(value) for row in cursor.fetchall() for value in row]
    return "\n".join(parts)


def run(*arguments: str) -> str:
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def traces(alice: Person, bob: Person) -> None:
    """Create rows that name Bob: a session, failed sign-ins, an invitation, and audit entries."""
    bob.browser().get("/")
    AccessAttempt.objects.create(
        username="bob", ip_address="203.0.113.9", user_agent="", path_info="/", failures_since_start=1
    )
    Invitation.objects.create(
        team=alice.team, note="for bob@example.com", token_hash="x", expires_at="2027-01-01T00:00Z"
    )
    author = Author(name="bob", user_id=bob.user.pk, address="203.0.113.9")
    audit_append(action=Action.SIGNED_IN, author=author, target=bob.user)
    audit_append(action=Action.SIGN_IN_FAILED, author=Author(name="bob", address="203.0.113.9"))
    audit_append(action=Action.EMAIL_CHANGED, author=Author(name="alice"), after={"email": ["bob@example.com"]})
    audit_append(action=Action.TEAM_CHANGED, author=Author(name="bobby"), after={"name": "bobsled"})


def test_an_erased_user_is_named_nowhere_and_the_trail_stays_valid(
    alice: Person, bob: Person, traces: None, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        mine, hers = submit_file(bob), submit_file(alice)
        Job.objects.filter(pk=mine.pk).update(user=bob.user)
        ApiKey.objects.filter(created_by=bob.user).update(name="printer")
    noted = AuditEntry.objects.order_by("number").last()

    with django_capture_on_commit_callbacks(execute=True):
        printed = run("erase_user", "bob", "--confirm", "bob")

    assert "1 jobs" in printed
    text = everything_in_the_database()
    assert "bob@example.com" not in text
    assert [line for line in text.splitlines() if line == "bob"] == []
    assert "203.0.113.9" not in text
    assert "bobsled" in text, "other words that contain the name stay"
    assert not Job.objects.filter(pk=mine.pk).exists()
    assert Job.objects.filter(pk=hers.pk).exists()
    assert not Session.objects.exists()
    assert audit_verify().problems == []
    assert AuditEntry.objects.get(number=noted.number).hash == noted.hash, "a hash noted elsewhere stays valid"
    assert AuditEntry.objects.filter(actor_name__startswith="erased-user-").exists()
    assert not AuditErasure.objects.exists()


def test_an_erased_team_leaves_no_file_and_no_row(
    alice: Person, charlie: Person, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        submit_file(alice), submit_file(charlie)
    key_name = alice.key.name
    audit_append(action=Action.KEY_CREATED, author=Author.of(alice.actor), target=alice.key)

    with django_capture_on_commit_callbacks(execute=True):
        run("erase_team", "Studio", "--confirm", "Studio")

    assert files() == [f"teams/{charlie.team.pk}"]
    assert not Team.objects.filter(name="Studio").exists()
    assert not UsageEntry.objects.filter(team_id=alice.team.pk).exists()
    assert User.objects.filter(username="alice").exists()
    text = everything_in_the_database()
    assert "Studio" not in text
    assert key_name not in text
    assert audit_verify().problems == []


def test_a_user_takes_the_teams_of_which_they_are_the_only_member(alice: Person, charlie: Person) -> None:
    User.objects.create_superuser("root")
    own = charlie.team.name

    run("erase_user", "charlie", "--confirm", "charlie")

    assert not Team.objects.filter(name=own).exists()
    assert Team.objects.filter(pk=alice.team.pk).exists()


def test_the_only_owner_of_a_shared_team_and_the_only_administrator_are_refused(alice: Person, bob: Person) -> None:
    with pytest.raises(CommandError, match="only owner of Studio"):
        run("erase_user", "alice", "--confirm", "alice")
    User.objects.create_superuser("root")
    with pytest.raises(CommandError, match="only administrator"):
        run("erase_user", "root", "--confirm", "root")
    with pytest.raises(CommandError, match="must repeat"):
        run("erase_user", "bob", "--confirm", "alice")

    Membership.objects.filter(user=bob.user).update(role=Membership.Role.OWNER)
    run("erase_user", "alice", "--confirm", "alice")
    assert audit_verify().problems == []


def test_a_changed_entry_is_found_after_an_erasure_too(alice: Person, bob: Person, traces: None) -> None:
    run("erase_user", "bob", "--confirm", "bob")
    redacted = AuditEntry.objects.filter(actor_name__startswith="erased-user-").first()

    as_the_database_owner("UPDATE jobs_auditentry SET actor_name = 'mallory' WHERE number = %s", redacted.number)

    assert audit_verify().problems == [f"entry {redacted.number} was changed"]


def test_two_erasures_may_touch_the_same_entry(alice: Person, bob: Person) -> None:
    audit_append(action=Action.ROLE_CHANGED, author=Author.of(alice.actor), target=bob.user)
    Membership.objects.filter(user=bob.user).update(role=Membership.Role.OWNER)
    entry = AuditEntry.objects.order_by("number").last()

    run("erase_user", "alice", "--confirm", "alice")
    run("erase_user", "bob", "--confirm", "bob")

    entry.refresh_from_db()
    assert entry.actor_name != entry.object_name
    assert entry.actor_name.startswith("erased-user-")
    assert audit_verify().problems == []


def test_entries_cannot_be_changed_otherwise_and_their_chain_never(alice: Person) -> None:
    entry = audit_append(action=Action.SIGNED_IN, author=Author(name="alice"))
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.filter(number=entry.number).update(actor_name="x")

    AuditErasure.objects.create()
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.filter(number=entry.number).update(action="x")


def test_an_export_contains_account_jobs_audit_entries_and_files_without_secrets(
    alice: Person, bob: Person, tmp_path: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = submit_file(bob)
        submit(alice)
    Job.objects.filter(pk=job.pk).update(user=bob.user)
    SocialAccount.objects.create(user=bob.user, provider="ldap", uid="7f3a", extra_data={"groups": ["designers"]})
    target = tmp_path / "bob.zip"

    run("export_user", "bob", str(target))

    assert target.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(target) as bundle:
        account = json.loads(bundle.read("account.json"))[0]
        jobs = json.loads(bundle.read("jobs.json"))
        sign_on = json.loads(bundle.read("single_sign_on.json"))
        stored = [name for name in bundle.namelist() if name.startswith("files/")]
    assert (account["username"], account["email"]) == ("bob", "bob@example.com")
    assert "password" not in account
    assert [one["id"] for one in jobs] == [str(job.pk)]
    assert sign_on[0]["extra_data"] == {"groups": ["designers"]}
    assert any("source" in name for name in stored)
    with pytest.raises(CommandError, match="exists"):
        run("export_user", "bob", str(target))
