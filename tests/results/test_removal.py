"""Tests that delete single pictures of a job: their files are deleted too, and the deletion is recorded."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.errors import NotFound
from jobs.models import Artifact, AuditEntry, Job
from jobs.results import storage
from jobs.work.removal import images_delete
from jobs.work.retry import job_retry
from tests.cast import Person
from tests.quota.actions import claim, fail, submit, succeed

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice: Person) -> Job:
    """Return a job with two succeeded pictures and one failed picture."""
    job = submit(alice, 3)
    first, second, third = job.images.all()
    succeed(claim(first))
    succeed(claim(second))
    fail(claim(third))
    job.refresh_from_db()
    return job


def test_deleted_pictures_of_a_job_are_recorded_with_their_number(alice: Person, job: Job) -> None:
    assert images_delete(actor=alice.actor, images=list(job.images.all()[1:])) == 2

    job.refresh_from_db()
    assert (job.images_total, job.images_succeeded, job.images_failed) == (1, 1, 0)
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.actor_name, entry.object_id) == ("job.pictures_deleted", "alice", str(job.pk))
    assert (entry.before, entry.after) == ({"pictures": 3}, {"pictures": 1})


def test_what_is_deleted_twice_counts_once(alice: Person, job: Job) -> None:
    chosen = list(job.images.select_related("job")[:1])

    assert images_delete(actor=alice.actor, images=chosen) == 1
    assert images_delete(actor=alice.actor, images=chosen) == 0

    job.refresh_from_db()
    assert (job.images_total, job.images_succeeded) == (2, 1)
    assert AuditEntry.objects.filter(action="job.pictures_deleted").count() == 1


def test_a_job_that_runs_again_meanwhile_keeps_its_pictures(alice: Person, job: Job) -> None:
    chosen = list(job.images.select_related("job")[:1])
    job_retry(actor=alice.actor, job=job)

    assert images_delete(actor=alice.actor, images=chosen) == 0
    assert job.images.count() == 3


def test_the_zip_of_a_job_goes_with_the_first_picture_deleted_from_it(
    alice: Person, job: Job, django_capture_on_commit_callbacks: Callable
) -> None:
    stored = storage.store(f"teams/{alice.team.pk}/results.zip", b"PK")
    row = {"content_type": "application/zip", "bytes": 2, "sha256": stored.sha256}
    Artifact.objects.create(job=job, kind=Artifact.Kind.ZIP, key=stored.key, **row)
    kept = list(job.images.first().artifacts.all())

    with django_capture_on_commit_callbacks(execute=True):
        images_delete(actor=alice.actor, images=list(job.images.all()[1:2]))

    assert list(job.artifacts.order_by("created_at")) == kept
    assert all(storage.read(artifact.key) for artifact in kept)
    with pytest.raises(NotFound):
        storage.open_file(stored.key)
