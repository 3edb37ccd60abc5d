"""Tests of the zip with a job's results. The job ends when its zip is complete.

The zip contains all results, and only one worker creates it. If this worker crashes, another worker creates the zip
again. After three failed attempts, the job fails.
"""

from __future__ import annotations

import datetime as dt
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import IO, Any

import django_rq
import pytest
from django.utils import timezone

from jobs.errors import JobNotCancelable, NotFound, StorageFailed
from jobs.models import Artifact, AuditEntry, Bundle, Job, JobImage, Status, UsageEntry
from jobs.results import bundling, storage
from jobs.results.bundling import bundle_make, bundles_recover
from jobs.work import queue
from jobs.work.cancel import job_cancel
from jobs.work.ending import job_count, job_end
from jobs.work.retention import job_purge
from jobs.work.retry import job_retry
from tests.cast import Person

PICTURE_BYTES = 4 * 2**20


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Return a list that records the arguments of each queued task. Commit hooks of the database run immediately."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(queue, "enqueue_task", lambda task, *args, **how: calls.append(args))
    monkeypatch.setattr("django.db.transaction.on_commit", lambda call, using=None, robust=False: call())
    return calls


@pytest.fixture
def job(alice: Person) -> Job:
    """Return a job with three successful pictures that has not ended yet."""
    job = Job.objects.create(
        team=alice.team,
        dialect="native",
        options={},
        images_total=3,
        status=Status.RUNNING,
        bundle_key="outputs/batch_results_20240605_142233.zip",
        expires_at=timezone.now() + dt.timedelta(hours=1),
    )
    for position in range(3):
        image = JobImage.objects.create(
            job=job,
            position=position,
            status=Status.SUCCEEDED,
            output_name=f"o{position}",
            charged_on=timezone.localdate(),
        )
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
    job_count(job.id)
    job_count(job.id)

    job.refresh_from_db()
    assert asked == [(str(job.bundle.pk),)]
    assert (job.status, job.images_succeeded) == ("running", 3)


def test_the_zip_ends_the_job(job: Job, asked: list) -> None:
    job_count(job.id)

    bundle_make(*asked[0])

    job.refresh_from_db()
    artifact = job.artifacts.get(kind="zip")
    assert (job.status, artifact.key) == ("succeeded", job.bundle_key)
    with storage.open_file(artifact.key) as file, zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["o0.png", "o1.png", "o2.png"]
        assert archive.read("o1.png") == b"\1" * PICTURE_BYTES


def test_a_message_that_comes_twice_makes_one_zip(job: Job, asked: list) -> None:
    job_count(job.id)
    bundle_make(*asked[0])
    made_at = Artifact.objects.get(kind="zip").created_at

    bundle_make(*asked[0])

    assert Artifact.objects.get(kind="zip").created_at == made_at


def test_memory_stays_bounded_whatever_the_pictures_weigh(job: Job, asked: list) -> None:
    job_count(job.id)
    tracemalloc.start()

    bundle_make(*asked[0])

    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < PICTURE_BYTES * 1.5


def lapse(job: Job) -> None:
    """End the worker's lease on the job's zip, as if its time had passed."""
    past = timezone.now() - dt.timedelta(minutes=1)
    Bundle.objects.filter(job=job).update(created_at=past)
    Bundle.objects.filter(job=job).exclude(leased_until=None).update(leased_until=past)


def test_the_sweep_asks_again_only_for_an_overdue_zip(job: Job, asked: list) -> None:
    job_count(job.id)
    assert bundles_recover() == 0

    lapse(job)

    assert bundles_recover() == 1
    assert asked == [(str(job.bundle.pk),)] * 2


def test_a_worker_that_died_at_it_is_replaced_up_to_the_last(
    job: Job, asked: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """An exception that simulates a killed worker. Handlers of Exception do not catch it."""

    def die(*args: object) -> None:
        raise Killed

    job_count(job.id)
    with monkeypatch.context() as patch:
        patch.setattr(bundling, "_write_bundle", die)
        for _ in range(bundling.MAX_ATTEMPTS):
            with pytest.raises(Killed):
                bundle_make(*asked[-1])
            lapse(job)
            bundles_recover()
    bundle_make(*asked[-1])

    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "storage_failed")


def try_until_given_up(asked: list) -> None:
    for _ in range(bundling.MAX_ATTEMPTS):
        assert Bundle.objects.exists()
        Bundle.objects.update(next_try_at=timezone.now())
        bundle_make(*asked[0])
    assert not Bundle.objects.exists()


def test_a_zip_is_made_once_the_storage_accepts_it_again(
    job: Job, asked: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise StorageFailed

    job_count(job.id)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "store_stream", refuse)
        bundle_make(*asked[0])
    Bundle.objects.update(next_try_at=timezone.now() + dt.timedelta(hours=1))
    bundle_make(*asked[0])
    assert Bundle.objects.get().attempt == 1  # the retry is not due yet
    Bundle.objects.update(next_try_at=timezone.now())

    bundle_make(*asked[0])

    job.refresh_from_db()
    assert job.status == "succeeded"


def test_a_storage_that_refuses_ends_the_job_with_the_reason(
    job: Job, asked: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise StorageFailed

    monkeypatch.setattr(storage, "store_stream", refuse)
    job_count(job.id)

    try_until_given_up(asked)

    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "storage_failed")
    assert not Artifact.objects.filter(kind="zip").exists()


def overtake(job: Job) -> None:
    """End the first worker's lease on the job's zip, and let another worker claim the zip."""
    lapse(job)
    bundles_recover()
    assert Bundle.objects.get(job=job).claim(lease_s=60)


def test_a_worker_overtaken_by_one_that_has_delivered_refunds_nothing(
    job: Job, asked: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = bundling._copy

    def let_another_deliver(*args: Any) -> None:
        monkeypatch.setattr(bundling, "_copy", copy)
        lapse(job)
        bundles_recover()
        bundle_make(*asked[-1])
        copy(*args)

    monkeypatch.setattr(bundling, "_copy", let_another_deliver)
    job_count(job.id)

    bundle_make(*asked[0])

    job.refresh_from_db()
    assert job.status == "succeeded"
    assert job.images.filter(charged_on=None).count() == 0
    assert not UsageEntry.objects.exists()


@pytest.mark.parametrize("is_refused", [True, False])
def test_a_worker_overtaken_while_it_stores_leaves_the_job_to_the_other(
    job: Job, asked: list, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    store = storage.store_stream

    def store_late(key: str, file: Any) -> storage.StoredFile:
        overtake(job)
        if is_refused:
            raise StorageFailed
        return store(key, file)

    monkeypatch.setattr(storage, "store_stream", store_late)
    job_count(job.id)

    bundle_make(*asked[0])

    job.refresh_from_db()
    assert (job.status, job.bundle.attempt) == ("running", 2)
    assert not Artifact.objects.filter(kind="zip").exists()
    assert not UsageEntry.objects.exists()


def test_a_zip_that_the_storage_refuses_is_refunded(job: Job, asked: list, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise StorageFailed

    monkeypatch.setattr(storage, "store_stream", refuse)
    job_count(job.id)

    try_until_given_up(asked)

    assert UsageEntry.objects.get().pictures == -3


def test_an_end_that_comes_second_refunds_nothing(job: Job) -> None:
    assert job.finish(Status.SUCCEEDED)

    job_end(job, error=StorageFailed())

    assert not UsageEntry.objects.exists()


def test_the_lease_is_renewed_while_the_zip_is_being_stored(
    job: Job, asked: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed, store = threading.Event(), storage.store_stream
    renewals: list[bool] = []

    def renew(bundle: Bundle, *, lease_s: float) -> bool:
        renewed.set()
        return True

    def store_slowly(key: str, file: Any) -> storage.StoredFile:
        renewed.clear()
        renewals.append(renewed.wait(10))
        return store(key, file)

    monkeypatch.setattr(bundling, "LEASE_S", 0.04)
    monkeypatch.setattr(Bundle, "renew", renew)
    monkeypatch.setattr(storage, "store_stream", store_slowly)
    job_count(job.id)

    bundle_make(*asked[0])

    assert renewals == [True]


def test_a_zip_may_take_longer_than_a_picture(job: Job, django_capture_on_commit_callbacks: Callable[..., Any]) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job_count(job.id)

    upkeep = django_rq.get_queue("upkeep")
    assert upkeep.jobs[0].timeout >= 3600 > upkeep._default_timeout


def test_the_zips_times_are_local_as_its_names_are(job: Job, asked: list, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    Artifact.objects.update(created_at=dt.datetime(2024, 6, 5, 20, 22, 34, tzinfo=dt.UTC))
    job_count(job.id)

    bundle_make(*asked[0])

    with storage.open_file(job.bundle_key) as file, zipfile.ZipFile(file) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2024, 6, 6, 4, 22, 34)}


def test_a_batch_whose_pictures_have_ended_is_not_cancelled_any_more(job: Job, asked: list, alice: Person) -> None:
    job_count(job.id)

    with pytest.raises(JobNotCancelable):
        job_cancel(actor=alice.actor, job=job)

    assert not AuditEntry.objects.filter(action="job.canceled").exists()


def test_a_job_purged_meanwhile_leaves_no_zip(job: Job, asked: list) -> None:
    job_count(job.id)
    job_purge(actor=None, jobs=[job])

    bundle_make(*asked[0])

    assert not Artifact.objects.exists()


def test_a_job_purged_while_its_zip_is_stored_leaves_none(
    job: Job, asked: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = storage.store_stream

    def purge_first(key: str, stream: IO[bytes]) -> storage.StoredFile:
        job_purge(actor=None, jobs=[job])
        return store(key, stream)

    monkeypatch.setattr(storage, "store_stream", purge_first)
    job_count(job.id)

    bundle_make(*asked[0])

    with pytest.raises(NotFound):
        storage.open_file(job.bundle_key)


def test_a_retry_makes_the_zip_again_from_what_can_be_tried_again(
    job: Job, asked: list, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("enqueue_images", "enqueue_downloads"):
        monkeypatch.setattr(queue, name, lambda image_ids, *, urgency: None)
    downloaded, refused = job.images.all()[:2]
    Artifact.objects.filter(image__in=[downloaded, refused]).delete()
    JobImage.objects.filter(pk=downloaded.pk).update(status=Status.FAILED, source_url="https://example.com/a.png")
    JobImage.objects.filter(pk=refused.pk).update(status=Status.FAILED, error_code="image_unreadable")
    job_count(job.id)
    bundle_make(*asked[-1])

    assert job_retry(actor=alice.actor, job=job) == 1
    JobImage.objects.filter(pk=downloaded.pk).update(status=Status.SUCCEEDED)
    job_count(job.id)
    bundle_make(*asked[-1])

    job.refresh_from_db()
    assert (job.status, job.images_succeeded, job.images_failed) == ("succeeded", 2, 1)
    assert len(asked) == 2
    assert Artifact.objects.filter(kind="zip").count() == 1
