"""The zip that ends a job: made once, taken up again after a crash, given up after three, never left half."""

from __future__ import annotations

import datetime as dt
import tracemalloc
import zipfile
from typing import IO, Any

import pytest
from django.utils import timezone

from jobs import queue, storage
from jobs.errors import NotFound, StorageFailed
from jobs.models import Artifact, Job, JobImage, Status
from jobs.services import bundling, lifecycle
from jobs.services.bundling import job_bundle
from tests.cast import Person

PICTURE_BYTES = 4 * 2**20


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked of light workers."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(queue, "enqueue_task", lambda function, *args, queue_name: calls.append(args))
    monkeypatch.setattr("django.db.transaction.on_commit", lambda deed, using=None, robust=False: deed())
    return calls


@pytest.fixture
def job(alice: Person) -> Job:
    """A job of three pictures that have all succeeded, just before its end."""
    job = Job.objects.create(
        team=alice.team,
        dialect="unet",
        options={},
        images_total=3,
        status=Status.RUNNING,
        bundle_key="outputs/batch_results_20240605_142233.zip",
        expires_at=timezone.now() + dt.timedelta(hours=1),
    )
    for position in range(3):
        image = JobImage.objects.create(job=job, position=position, status=Status.SUCCEEDED, output_name=f"o{position}")
        stored = storage.store(f"outputs/{position}.png", bytes([position]) * PICTURE_BYTES)
        Artifact.objects.create(
            job=job,
            image=image,
            kind="cutout",
            key=stored.key,
            content_type="image/png",
            bytes=stored.bytes,
            sha256=stored.sha256,
        )
    return job


def test_the_last_picture_asks_for_the_zip_once_and_leaves_the_job_running(job: Job, asked: list) -> None:
    lifecycle.job_count(job.id)
    lifecycle.job_count(job.id)

    job.refresh_from_db()
    assert asked == [(str(job.id), 0)]
    assert (job.status, job.images_succeeded) == ("running", 3)


def test_the_zip_ends_the_job(job: Job, asked: list) -> None:
    lifecycle.job_count(job.id)

    job_bundle(*asked[0])

    job.refresh_from_db()
    artifact = job.artifacts.get(kind="zip")
    assert (job.status, artifact.key) == ("succeeded", job.bundle_key)
    with storage.open_file(artifact.key) as file, zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["o0.png", "o1.png", "o2.png"]
        assert archive.read("o1.png") == b"\1" * PICTURE_BYTES


def test_a_message_that_comes_twice_makes_one_zip(job: Job, asked: list) -> None:
    lifecycle.job_count(job.id)
    job_bundle(*asked[0])
    made_at = Artifact.objects.get(kind="zip").created_at

    job_bundle(*asked[0])

    assert Artifact.objects.get(kind="zip").created_at == made_at


def test_memory_stays_bounded_whatever_the_pictures_weigh(job: Job, asked: list) -> None:
    lifecycle.job_count(job.id)
    tracemalloc.start()

    job_bundle(*asked[0])

    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < PICTURE_BYTES * 1.5


def lapse(job: Job) -> None:
    """Let the lease on the zip have run out."""
    Job.objects.filter(pk=job.pk).update(bundle_leased_until=timezone.now() - dt.timedelta(seconds=1))


def test_the_sweeper_asks_again_only_when_whoever_was_asked_is_overdue(job: Job, asked: list) -> None:
    lifecycle.job_count(job.id)
    assert lifecycle.bundles_recover() == 0

    lapse(job)

    assert lifecycle.bundles_recover() == 1
    assert asked == [(str(job.id), 0), (str(job.id), 0)]


def test_a_worker_that_died_at_it_is_replaced_and_the_third_is_the_last(
    job: Job, asked: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """What a dying process would feel, if anything."""

    def die(*args: object) -> None:
        raise Killed

    lifecycle.job_count(job.id)
    with monkeypatch.context() as patch:
        patch.setattr(bundling, "_write_bundle", die)
        for _ in range(bundling.MAX_ATTEMPTS):
            with pytest.raises(Killed):
                job_bundle(*asked[-1])
            lapse(job)
            lifecycle.bundles_recover()
    job_bundle(*asked[-1])

    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "storage_failed")


def test_a_storage_that_refuses_ends_the_job_with_the_reason(
    job: Job, asked: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise StorageFailed

    monkeypatch.setattr(storage, "store_stream", refuse)
    lifecycle.job_count(job.id)

    job_bundle(*asked[0])

    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "storage_failed")
    assert not Artifact.objects.filter(kind="zip").exists()


def test_a_job_purged_meanwhile_leaves_no_zip(job: Job, asked: list) -> None:
    lifecycle.job_count(job.id)
    lifecycle.job_purge(actor=None, jobs=[job])

    job_bundle(*asked[0])

    assert not Artifact.objects.exists()


def test_a_job_purged_while_its_zip_is_stored_leaves_none(
    job: Job, asked: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = storage.store_stream

    def purge_first(key: str, stream: IO[bytes]) -> storage.StoredFile:
        lifecycle.job_purge(actor=None, jobs=[job])
        return store(key, stream)

    monkeypatch.setattr(storage, "store_stream", purge_first)
    lifecycle.job_count(job.id)

    job_bundle(*asked[0])

    with pytest.raises(NotFound):
        storage.open_file(job.bundle_key)


def test_a_retry_makes_the_zip_anew_from_what_can_be_tried_again(
    job: Job, asked: list, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "enqueue_images", lambda image_ids, *, queue_name: None)
    downloaded, refused = job.images.all()[:2]
    Artifact.objects.filter(image__in=[downloaded, refused]).delete()
    JobImage.objects.filter(pk=downloaded.pk).update(status=Status.FAILED, source_url="https://example.com/a.png")
    JobImage.objects.filter(pk=refused.pk).update(status=Status.FAILED, error_code="image_unreadable")
    lifecycle.job_count(job.id)
    job_bundle(*asked[-1])

    assert lifecycle.job_retry(actor=alice.actor, job=job) == 1
    JobImage.objects.filter(pk=downloaded.pk).update(status=Status.SUCCEEDED)
    lifecycle.job_count(job.id)
    job_bundle(*asked[-1])

    job.refresh_from_db()
    assert (job.status, job.images_succeeded, job.images_failed) == ("succeeded", 2, 1)
    assert len(asked) == 2
    assert Artifact.objects.filter(kind="zip").count() == 1
