"""Tests of the attempts to process a picture: claims by workers, repeated messages, crashes, and the ends of jobs.

A worker's claim on a picture is a lease: it ends after a limited time.
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from jobs.errors import JobNotFound
from jobs.models import Action, Artifact, AuditEntry, Job, JobImage, Status
from jobs.results import storage
from jobs.work import queue, recovery, retention
from jobs.work.attempts import image_claim, source_attach
from jobs.work.cancel import job_cancel
from jobs.work.leases import resend
from jobs.work.recovery import images_recover, leases_release, leases_release_of_host
from jobs.work.retention import job_purge, jobs_expire
from jobs.work.retry import job_retry
from segmentation.errors import InferenceFailed
from tests.cast import Person
from tests.quota.actions import claim, fail, submit, submit_file, succeed

pytestmark = pytest.mark.django_db


def only_image(job: Job) -> JobImage:
    return job.images.get()


def stored_files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def path_of(artifact: Artifact) -> Path:
    return Path(settings.MEDIA_ROOT) / artifact.key


def let_lease_run_out(image: JobImage) -> None:
    JobImage.objects.filter(pk=image.pk).update(leased_until=timezone.now() - dt.timedelta(seconds=1))


def test_a_message_delivered_twice_is_claimed_once(alice: Person):
    image = only_image(submit(alice))

    first = image_claim(image_id=str(image.pk), worker="one")
    second = image_claim(image_id=str(image.pk), worker="two")

    assert first.attempt == 1
    assert second is None
    assert JobImage.objects.get(pk=image.pk).claimed_by == "one"


def test_a_claimed_picture_moves_its_job_to_running(alice: Person):
    job = submit(alice)

    claim(only_image(job))

    job.refresh_from_db()
    assert job.status == Status.RUNNING
    assert job.started_at is not None


def test_a_job_ends_with_the_last_of_its_pictures(alice: Person):
    job = submit(alice, 2)
    first, second = job.images.all()

    succeed(claim(first))
    job.refresh_from_db()
    assert job.status == Status.RUNNING

    fail(claim(second))
    job.refresh_from_db()
    assert (job.status, job.images_succeeded, job.images_failed) == (Status.SUCCEEDED, 1, 1)


def test_a_job_of_which_nothing_succeeded_fails_with_the_first_error(alice: Person):
    job = submit(alice)

    fail(claim(only_image(job)), InferenceFailed("The model tripped."))

    job.refresh_from_db()
    assert (job.status, job.error_code, job.error_message) == (Status.FAILED, "inference_failed", "The model tripped.")


def test_an_expired_lease_returns_the_picture_to_the_queue(alice: Person):
    image = claim(only_image(submit(alice)))
    let_lease_run_out(image)

    images_recover()

    again = JobImage.objects.get(pk=image.pk)
    assert again.status == Status.QUEUED
    assert str(image.pk) in queue.waiting_image_ids()


def test_a_renewed_lease_is_left_alone(alice: Person):
    image = claim(only_image(submit(alice)))
    let_lease_run_out(image)
    image.renew(lease_s=30)

    images_recover()

    assert JobImage.objects.get(pk=image.pk).status == Status.RUNNING


def test_an_attempt_that_lost_its_lease_leaves_no_result(alice: Person):
    late = claim(only_image(submit(alice)))
    let_lease_run_out(late)
    images_recover()
    current = claim(JobImage.objects.get(pk=late.pk))

    assert succeed(late) is False
    assert succeed(current) is True
    results = Artifact.objects.filter(image=late).exclude(kind=Artifact.Kind.SOURCE)
    assert {artifact.key.rpartition("/")[2][0] for artifact in results} == {"2"}


def test_a_poison_picture_is_given_up_after_its_third_worker(alice: Person):
    image = only_image(submit(alice))

    for _ in range(3):
        image = claim(JobImage.objects.get(pk=image.pk))
        let_lease_run_out(image)
        images_recover()

    image.refresh_from_db()
    assert (image.status, image.error_code, image.attempt) == (Status.FAILED, "worker_lost", 3)


def test_a_worker_from_before_a_retry_can_neither_end_nor_renew_the_new_attempt(alice: Person):
    job = submit(alice)
    late = claim(only_image(job))
    JobImage.objects.filter(pk=late.pk).update(attempt=3)
    let_lease_run_out(late)
    images_recover()
    assert job_retry(actor=alice.actor, job=job) == 1

    current = claim(only_image(job))

    assert not late.renew(lease_s=8)
    assert not fail(late)
    assert not succeed(late)
    assert succeed(current)
    assert all(path.exists() for path in map(path_of, current.artifacts.all()))


def test_a_picture_that_is_tried_again_has_three_workers_again(alice: Person):
    job = submit(alice)
    for series in range(2):
        for _ in range(3):
            image = claim(only_image(job))
            assert image is not None
            let_lease_run_out(image)
            images_recover()
        image.refresh_from_db()
        assert (image.status, image.error_code, image.attempt) == (Status.FAILED, "worker_lost", 3 * series + 3)
        job_retry(actor=alice.actor, job=job)


def test_what_a_dead_worker_held_is_returned_at_once(alice: Person):
    image = image_claim(image_id=str(only_image(submit(alice)).pk), worker="dead")
    other = image_claim(image_id=str(only_image(submit(alice)).pk), worker="alive")

    assert leases_release(worker="dead") == 1

    assert JobImage.objects.get(pk=image.pk).status == Status.QUEUED
    assert JobImage.objects.get(pk=other.pk).status == Status.RUNNING


def test_a_worker_that_somebody_kills_is_no_strike_against_its_picture(alice: Person):
    image = only_image(submit(alice))
    for _ in range(5):
        image_claim(image_id=str(image.pk), worker="killed")
        assert leases_release(worker="killed", is_strike=False) == 1

    image.refresh_from_db()
    assert (image.status, image.strikes, image.attempt) == (Status.QUEUED, 0, 5)


def test_a_host_that_starts_again_releases_what_its_ended_workers_held(alice: Person):
    held = {name: only_image(submit(alice)) for name in (f"here-{2**22 + 1}", f"here-{os.getpid()}", "there-1")}
    for name, image in held.items():
        image_claim(image_id=str(image.pk), worker=name)

    assert leases_release_of_host(host="here") == 1

    states = {name: JobImage.objects.get(pk=image.pk) for name, image in held.items()}
    assert [image.status for image in states.values()] == [Status.QUEUED, Status.RUNNING, Status.RUNNING]
    assert states[f"here-{2**22 + 1}"].strikes == 0


def test_a_message_that_redis_lost_is_sent_again(alice: Person):
    image = only_image(submit(alice))
    queue.connection().flushall()
    JobImage.objects.filter(pk=image.pk).update(enqueued_at=timezone.now() - dt.timedelta(minutes=1))

    assert images_recover() == 1

    assert str(image.pk) in queue.waiting_image_ids()
    assert images_recover() == 0


def test_a_lost_message_is_sent_again_though_a_long_backlog_waits_before_it(alice: Person):
    backlog, lost = submit(alice, 3), submit(alice)
    queue.enqueue_images(backlog.images.values_list("pk", flat=True), urgency="batch")
    JobImage.objects.filter(job=backlog).update(enqueued_at=timezone.now() - dt.timedelta(hours=1))
    JobImage.objects.filter(job=lost).update(enqueued_at=timezone.now() - dt.timedelta(minutes=1))

    assert resend(recovery._Pictures(), limit=2) == 1

    assert str(only_image(lost).pk) in queue.waiting_image_ids()


def test_a_cancelled_picture_takes_no_result(alice: Person):
    job = submit(alice)
    image = claim(only_image(job))
    job_cancel(actor=alice.actor, job=job)

    assert succeed(image) is False

    job.refresh_from_db()
    assert job.status == Status.CANCELED
    assert not image.artifacts.exclude(kind=Artifact.Kind.SOURCE).exists()


def test_a_picture_fetched_for_a_job_that_is_deleted_meanwhile_leaves_no_file(alice: Person):
    job = submit(alice)
    image = claim(only_image(job))
    job_purge(actor=alice.actor, jobs=[job])

    with pytest.raises(JobNotFound):
        source_attach(image=image, data=b"x", content_type="image/png", width=1, height=1)

    assert not stored_files()


def test_a_purge_takes_along_what_a_worker_stores_while_it_begins(
    alice: Person, monkeypatch, django_capture_on_commit_callbacks
):
    job = submit(alice)
    image = claim(only_image(job))
    cancel = retention.images_cancel

    def store_first(*, job: Job) -> None:
        source_attach(image=image, data=b"x", content_type="image/png", width=1, height=1)
        cancel(job=job)

    monkeypatch.setattr(retention, "images_cancel", store_first)
    with django_capture_on_commit_callbacks(execute=True):
        job_purge(actor=alice.actor, jobs=[job])

    assert not stored_files()


def test_a_purged_job_leaves_no_folder_and_its_neighbours_theirs(alice: Person, django_capture_on_commit_callbacks):
    purged, kept = submit_file(alice), submit_file(alice)

    with django_capture_on_commit_callbacks(execute=True):
        job_purge(actor=alice.actor, jobs=[purged])

    team = Path(settings.MEDIA_ROOT) / "teams" / str(alice.team.pk)
    assert [folder.name for folder in team.iterdir()] == [str(kept.pk)]
    assert [path.name for path in stored_files()] == ["source.jpg"]


def test_a_file_that_goes_before_its_neighbour_leaves_the_folder(alice: Person):
    source = submit_file(alice).artifacts.get()
    beside = storage.store(source.key.replace("source", "beside"), b"x")

    storage.delete(beside.key)
    assert storage.read(source.key)
    storage.delete(source.key)
    storage.delete(source.key)

    assert not stored_files()


def test_failed_pictures_are_tried_again(alice: Person):
    job = submit(alice, 2)
    first, second = job.images.all()
    succeed(claim(first))
    fail(claim(second))

    assert job_retry(actor=alice.actor, job=job) == 1

    job.refresh_from_db()
    assert job.status == Status.QUEUED
    succeed(claim(JobImage.objects.get(pk=second.pk)))
    job.refresh_from_db()
    assert (job.status, job.images_succeeded, job.images_failed) == (Status.SUCCEEDED, 2, 0)


def test_a_waiting_request_is_woken_when_the_job_is_deleted(
    alice: Person, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks
):
    woken = []
    monkeypatch.setattr(queue, "announce_done", woken.append)
    job = submit(alice)

    with django_capture_on_commit_callbacks(execute=True):
        job_purge(actor=alice.actor, jobs=[job])

    assert woken == [job.pk]


def test_what_has_outlived_its_retention_is_deleted(alice: Person):
    old, young = submit_file(alice), submit_file(alice)
    Job.objects.filter(pk=old.pk).update(expires_at=timezone.now() - dt.timedelta(hours=1))

    assert jobs_expire() == 1

    assert list(Job.objects.values_list("pk", flat=True)) == [young.pk]


def test_all_that_has_expired_is_deleted_at_once_and_the_oldest_first(alice: Person, monkeypatch: pytest.MonkeyPatch):
    now = timezone.now()
    old = [
        Job(team=alice.team, dialect="native", options={}, expires_at=now - dt.timedelta(hours=hours))
        for hours in (1, 3, 2)
    ]
    Job.objects.bulk_create(old)
    monkeypatch.setattr(retention, "_JOBS_PER_QUERY", 2)

    assert jobs_expire(at_most_s=0) == 1
    assert set(Job.objects.values_list("pk", flat=True)) == {old[0].pk, old[2].pk}
    assert jobs_expire() == 2
    assert not Job.objects.exists()


def test_an_expired_job_that_cannot_be_deleted_keeps_none_of_the_others(alice: Person, monkeypatch: pytest.MonkeyPatch):
    old, older = submit(alice), submit(alice)
    Job.objects.filter(pk=old.pk).update(expires_at=timezone.now() - dt.timedelta(hours=1))
    Job.objects.filter(pk=older.pk).update(expires_at=timezone.now() - dt.timedelta(hours=2))
    forget = retention.job_callbacks_forget

    def trip(*, job: Job) -> None:
        if job.pk == older.pk:
            raise ValueError
        forget(job=job)

    monkeypatch.setattr(retention, "job_callbacks_forget", trip)

    assert jobs_expire() == 1
    assert list(Job.objects.values_list("pk", flat=True)) == [older.pk]


def test_a_job_that_two_sweepers_find_expired_is_recorded_once(alice: Person):
    job = submit(alice)

    assert job_purge(actor=None, jobs=[job]) == 1
    assert job_purge(actor=None, jobs=[job]) == 0

    assert AuditEntry.objects.filter(action=Action.JOB_PURGED).count() == 1
