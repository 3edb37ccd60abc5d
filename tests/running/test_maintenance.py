"""Tests of regular maintenance: export of the usage for billing, shorter retention of jobs, expired sessions."""

from __future__ import annotations

import csv
import datetime as dt
import io
import uuid

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from jobs.models import Artifact, Job, Status, UsageEntry
from jobs.results import storage
from jobs.running import upkeep
from tests.cast import Person


def charge(person: Person, *, pictures: int, job_id: uuid.UUID, day: dt.date, kind: str = "charge") -> None:
    UsageEntry.objects.create(
        team=person.team, day=day, kind=kind, pictures=pictures, units=pictures, dialect="native", job_id=job_id
    )


def exported(*arguments: str) -> list[dict[str, str]]:
    output = io.StringIO()
    call_command("export_usage", *arguments, stdout=output)
    return list(csv.DictReader(io.StringIO(output.getvalue())))


def test_use_is_exported_by_team_key_day_and_api(alice: Person, charlie: Person) -> None:
    job = Job.objects.create(team=alice.team, api_key=alice.key, dialect=Job.Dialect.NATIVE, options={}, images_total=3)
    day = dt.date(2026, 11, 20)
    charge(alice, pictures=3, job_id=job.pk, day=day)
    charge(alice, pictures=-1, job_id=job.pk, day=day, kind="refund")
    charge(charlie, pictures=2, job_id=uuid.uuid4(), day=day)
    charge(alice, pictures=5, job_id=job.pk, day=dt.date(2026, 10, 1))

    lines = {line["team"]: line for line in exported("--from", "2026-11-01", "--to", "2026-11-20")}

    assert set(lines) == {"Studio", "Print shop"}
    studio = lines["Studio"]
    assert (studio["key"], studio["day"], studio["api"]) == (alice.key.public_id, "2026-11-20", "native")
    assert (studio["charged"], studio["refunded"], studio["pictures"]) == ("3", "1", "2")
    assert lines["Print shop"]["key"] == ""


def test_a_teams_name_is_no_formula_in_a_spreadsheet(alice: Person) -> None:
    alice.team.name = "=HYPERLINK(1)"
    alice.team.save()
    charge(alice, pictures=1, job_id=uuid.uuid4(), day=timezone.localdate())

    assert exported()[0]["team"] == "'=HYPERLINK(1)"


@pytest.mark.django_db(transaction=True)
def test_a_shorter_retention_reaches_stored_jobs_and_never_a_longer_one(alice: Person) -> None:
    now = timezone.now()

    def stored(age_h: int, kept_h: int) -> Job:
        created = now - dt.timedelta(hours=age_h)
        expires = created + dt.timedelta(hours=kept_h)
        return Job.objects.create(
            team=alice.team, dialect="native", options={}, images_total=1, created_at=created, expires_at=expires
        )

    old, young, short = stored(48, 720), stored(2, 720), stored(1, 4)
    output = io.StringIO()

    call_command("prune", "--hours", "24", "--dry-run", stdout=output)
    assert Job.objects.count() == 3
    call_command("prune", "--hours", "24", stdout=output)

    assert set(Job.objects.all()) == {young, short}
    assert output.getvalue().startswith("2 jobs expire earlier than before")
    assert not Job.objects.filter(pk=old.pk).exists()
    young.refresh_from_db()
    short.refresh_from_db()
    assert young.expires_at == young.created_at + dt.timedelta(hours=24)
    assert short.expires_at == short.created_at + dt.timedelta(hours=4)


def test_expired_sessions_are_deleted_by_the_upkeep(db: None) -> None:
    for age_s in (-60, 3600):
        session = SessionStore()
        session.set_expiry(timezone.now() + dt.timedelta(seconds=age_s))
        session.save()

    upkeep._sessions_clear()

    assert Session.objects.count() == 1


@pytest.mark.django_db
def test_sample_jobs_leave_the_files_of_real_jobs_alone(alice: Person) -> None:
    soon = timezone.now() + dt.timedelta(hours=1)  # newer than every sample job
    job = Job.objects.create(
        team=alice.team, dialect="native", options={}, images_total=1, status=Status.SUCCEEDED, created_at=soon
    )
    stored = storage.store(f"teams/{alice.team.pk}/results.zip", b"PK")
    row = {"content_type": "application/zip", "bytes": stored.bytes, "sha256": stored.sha256}
    Artifact.objects.create(job=job, kind=Artifact.Kind.ZIP, key=stored.key, **row)

    call_command("seed_jobs", jobs=10, teams=1, files=3, yes=True, stdout=io.StringIO())

    with storage.open_file(stored.key) as file:
        assert file.read() == b"PK"
    drawn = Artifact.objects.exclude(job=job).exclude(sha256="0" * 64)
    assert drawn.values("job").distinct().count() == 3
