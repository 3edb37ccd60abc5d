"""Tests that deleted files are removed from the storage, even after an error of the storage or a crash of a worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import OperationalError, connections
from django.utils import timezone

from jobs.intake.sources import accept_bytes
from jobs.intake.uploads import upload_store, uploads_expire
from jobs.models import Artifact, Job, JobImage, PendingDeletion, Status
from jobs.results import deletions, storage
from jobs.results.deletions import deletions_retry, files_delete, files_discard
from jobs.work.recovery import images_recover
from jobs.work.removal import images_delete
from jobs.work.retention import job_purge
from jobs.work.submission import Door, job_submit
from segmentation.options import CutoutOptions
from tests.cast import Person
from tests.photos import encoded
from tests.quota.actions import claim, submit, submit_file, succeed

pytestmark = pytest.mark.django_db


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Callable) -> Callable:
    return lambda: django_capture_on_commit_callbacks(execute=True)


def stored_files() -> list[str]:
    folder = Path(settings.MEDIA_ROOT)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def refuse(*_: object) -> None:
    raise OSError("503 slow down")


def make_due() -> None:
    PendingDeletion.objects.update(next_try_at=timezone.now() - dt.timedelta(seconds=1))


def killed_before_its_commit(image: JobImage) -> JobImage:
    """Store a result file without its database row, as a worker does that is killed before it commits.

    Let another worker claim the picture, and return the picture.
    """
    storage.store(storage.key_of_result(image, Artifact.Kind.CUTOUT, "png"), b"private")
    JobImage.objects.filter(pk=image.pk).update(leased_until=timezone.now() - dt.timedelta(seconds=1))
    images_recover()
    return claim(image)


def test_a_purge_takes_along_what_a_killed_worker_left_without_a_row(alice: Person, committed: Callable) -> None:
    job = submit_file(alice)
    assert succeed(killed_before_its_commit(claim(job.images.get())))

    with committed():
        job_purge(actor=alice.actor, jobs=[Job.objects.get()])

    assert stored_files() == []
    assert not PendingDeletion.objects.exists()


def test_a_purge_takes_along_what_a_killed_worker_published_elsewhere(alice: Person, committed: Callable) -> None:
    beside = storage.store("outputs/another_job.png", b"x")
    door = Door(dialect="native", external_id="one", output_folder="outputs", output_names=["photo"])
    source = accept_bytes(encoded("JPEG", quality=60), name="photo.jpg")
    job = job_submit(actor=alice.actor, door=door, options=CutoutOptions(), sources=[source])
    assert succeed(killed_before_its_commit(claim(job.images.get())))

    with committed():
        job_purge(actor=alice.actor, jobs=[Job.objects.get()])

    assert stored_files() == [beside.key]


def test_a_deleted_picture_takes_its_folder_along_and_its_neighbours_keep_theirs(
    alice: Person, committed: Callable
) -> None:
    job = submit(alice, 2)
    first, second = job.images.all()
    assert succeed(killed_before_its_commit(claim(first)))
    assert succeed(claim(second))

    with committed():
        images_delete(actor=alice.actor, images=[JobImage.objects.select_related("job").get(pk=first.pk)])

    assert stored_files() == sorted(second.artifacts.values_list("key", flat=True))


def test_what_the_storage_refuses_to_delete_is_tried_again_until_it_is_gone(
    alice: Person, committed: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit_file(alice)
    with monkeypatch.context() as patch:
        patch.setattr(type(default_storage._wrapped), "delete", refuse)
        with committed():
            job_purge(actor=alice.actor, jobs=[job])
        make_due()
        assert deletions_retry() == 0
    assert stored_files()
    assert deletions_retry() == 0  # the retry is not due yet

    make_due()
    assert deletions_retry() == 1

    assert stored_files() == []
    assert not PendingDeletion.objects.exists()


def test_a_folder_that_cannot_be_listed_is_tried_again(
    alice: Person, committed: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit_file(alice)
    with monkeypatch.context() as patch:
        patch.setattr(type(default_storage._wrapped), "listdir", refuse)
        with committed():
            job_purge(actor=alice.actor, jobs=[job])
    assert stored_files()
    make_due()

    deletions_retry()

    assert stored_files() == []


def test_an_expired_upload_whose_file_cannot_be_deleted_is_tried_again(
    alice: Person, committed: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = upload_store(actor=alice.actor, source=accept_bytes(encoded("JPEG", quality=60)))
    type(upload).objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    with monkeypatch.context() as patch:
        patch.setattr(type(default_storage._wrapped), "delete", refuse)
        with committed():
            uploads_expire()
    make_due()

    assert deletions_retry() == 1
    assert stored_files() == []


def test_a_job_deleted_while_it_runs_has_its_folder_looked_at_once_more(alice: Person, committed: Callable) -> None:
    job = submit(alice)
    image = claim(job.images.get())
    with committed():
        job_purge(actor=alice.actor, jobs=[job])
    storage.store(storage.key_of_result(image, Artifact.Kind.CUTOUT, "png"), b"too late, and killed")
    make_due()

    assert deletions_retry() == 1
    assert stored_files() == []


def test_a_file_that_a_row_points_to_is_never_deleted(alice: Person, committed: Callable) -> None:
    source = submit_file(alice).artifacts.get()
    folder = source.key.rpartition("/")[0] + "/"

    with committed():
        files_delete(keys=[source.key, folder])
    files_discard(keys=[source.key])

    assert stored_files() == [source.key]
    assert not PendingDeletion.objects.exists()


def test_files_without_rows_wait_for_certainty_when_the_commit_was_in_doubt() -> None:
    stored = storage.store("teams/t/j/0000/1-cutout.png", b"x")

    files_discard(keys=[stored.key], error=OperationalError("server closed the connection unexpectedly"))
    assert stored_files() == [stored.key]
    make_due()

    assert deletions_retry() == 1
    assert stored_files() == []


def test_a_discard_that_finds_no_database_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = storage.store("teams/t/j/0000/1-cutout.png", b"x")

    def away(*_: object) -> None:
        raise OperationalError("no connection")

    monkeypatch.setattr(deletions, "_kept", away)
    files_discard(keys=[stored.key])

    assert stored_files() == [stored.key]


@pytest.mark.django_db(transaction=True)
def test_a_result_whose_commit_succeeded_unheard_keeps_its_files(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = claim(submit(alice).images.get())
    database = type(connections["default"])
    commit, lost = database.commit, []

    def commit_unheard(self: object) -> None:
        commit(self)
        if not lost and JobImage.objects.get(pk=image.pk).status == Status.SUCCEEDED:
            lost.append(True)
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(database, "commit", commit_unheard)
    monkeypatch.setattr("jobs.work.faults.time.sleep", lambda delay_s: None)
    succeed(image)
    make_due()
    deletions_retry()

    assert lost
    assert stored_files() == sorted(Artifact.objects.values_list("key", flat=True))
    assert len(stored_files()) == 3
