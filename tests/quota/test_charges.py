"""Tests of charges for pictures, of refunds, and of submissions that are rejected without a charge."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from jobs.audit.trail import Author
from jobs.errors import DownloadFailed, QuotaExceeded, TooManyTasks, WorkerLost
from jobs.intake.sources import FileSource, RefusedSource, UrlSource, limits_from_json
from jobs.models import Job, JobImage, Quota, Status, UsageEntry, UsagePeriod
from jobs.quota.limits import quota_change
from jobs.quota.refunds import usage_refund
from jobs.quota.selectors import stored_bytes
from jobs.quota.windows import allowances
from jobs.work.attempts import source_attach
from jobs.work.cancel import job_cancel
from jobs.work.recovery import images_recover
from jobs.work.retention import job_purge
from jobs.work.retry import job_retry
from jobs.work.submission import Door, job_submit
from segmentation.errors import ImageDimensions, ImageTooLarge, ImageUnreadable, InvalidParameter
from segmentation.options import CutoutOptions
from tests.cast import Person
from tests.photos import encoded

from .actions import claim, fail, ledger_sum, period_sums, set_quota, submit, submit_file, succeed

pytestmark = pytest.mark.django_db


def test_a_submission_is_charged_by_its_pictures_to_today_and_this_month(alice: Person) -> None:
    submit(alice, 3)

    assert ledger_sum(alice) == 3
    assert period_sums(alice) == {3}
    assert [allowance.used for allowance in allowances(alice.team)] == [3, 3]


def test_a_submission_over_the_days_quota_is_refused_whole_and_leaves_nothing(alice: Person) -> None:
    set_quota(alice, images_per_day=5)
    submit(alice, 4)

    with pytest.raises(QuotaExceeded) as refusal:
        submit(alice, 2)

    assert refusal.value.window == "day"
    assert 0 < refusal.value.retry_after_s <= 86_400
    assert ledger_sum(alice) == 4
    assert period_sums(alice) == {4}
    assert Job.objects.count() == 1


def test_the_month_refuses_when_the_day_has_room(alice: Person) -> None:
    set_quota(alice, images_per_day=100, images_per_month=2)
    submit(alice, 2)

    with pytest.raises(QuotaExceeded) as refusal:
        submit(alice, 1)

    assert refusal.value.window == "month"
    assert period_sums(alice) == {2}


def test_a_quota_of_one_team_does_not_bind_another(alice: Person, charlie: Person) -> None:
    set_quota(alice, images_per_day=1)
    submit(alice)

    submit(charlie, 3)

    assert ledger_sum(charlie) == 3


def test_yesterdays_pictures_do_not_count_today(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    set_quota(alice, images_per_day=1)
    submit(alice)
    tomorrow = timezone.now() + dt.timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)

    submit(alice)

    assert UsagePeriod.objects.filter(kind="day").count() == 2


@pytest.mark.parametrize("error", [None, WorkerLost(), DownloadFailed(), ImageUnreadable()])
def test_a_failed_picture_is_refunded_once(alice: Person, error: Exception | None) -> None:
    image = claim(submit(alice).images.get())

    assert fail(image, error)
    assert not fail(image, error)

    assert ledger_sum(alice) == 0
    assert period_sums(alice) == {0}
    assert UsageEntry.objects.filter(kind="refund").count() == 1


def test_a_finished_picture_stays_charged(alice: Person) -> None:
    image = claim(submit(alice).images.get())

    succeed(image)

    assert ledger_sum(alice) == 1


def test_cancelling_refunds_what_waits_and_not_what_runs(alice: Person) -> None:
    job = submit(alice, 3)
    claim(job.images.first())

    job_cancel(actor=alice.actor, job=job)

    assert ledger_sum(alice) == 1
    assert set(job.images.values_list("status", flat=True)) == {Status.CANCELED}


def test_purging_a_waiting_job_refunds_it(alice: Person) -> None:
    job = submit(alice, 2)

    job_purge(actor=alice.actor, jobs=[job])

    assert ledger_sum(alice) == 0


def test_purging_a_finished_job_keeps_its_charge(alice: Person) -> None:
    job = submit(alice)
    succeed(claim(job.images.get()))

    job_purge(actor=None, jobs=[job])

    assert ledger_sum(alice) == 1


def test_a_retry_is_charged_again_and_refunded_again(alice: Person) -> None:
    job = submit(alice)
    fail(claim(job.images.get()))

    assert job_retry(actor=alice.actor, job=job) == 1
    assert ledger_sum(alice) == 1
    fail(claim(job.images.get()))

    assert ledger_sum(alice) == 0
    assert UsageEntry.objects.filter(kind="refund").count() == 2


def test_a_refund_goes_to_the_day_that_was_charged(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    image = claim(submit(alice).images.get())
    today = timezone.localdate()
    tomorrow = timezone.now() + dt.timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)

    fail(image)

    assert set(UsageEntry.objects.values_list("day", flat=True)) == {today}
    assert UsagePeriod.objects.get(kind="day", starts_on=today).pictures == 0


def test_a_picture_that_stopped_three_workers_is_refunded(alice: Person) -> None:
    image = submit(alice).images.get()
    for _ in range(3):
        claim(image)
        JobImage.objects.update(leased_until=timezone.now() - dt.timedelta(seconds=1))
        images_recover()

    image.refresh_from_db()
    assert (image.status, image.error_code) == (Status.FAILED, "worker_lost")
    assert ledger_sum(alice) == 0


def test_a_refused_picture_in_a_batch_is_never_charged(alice: Person) -> None:
    sources = [
        UrlSource("https://pictures.example/1.jpg"),
        RefusedSource("broken.jpg", ImageUnreadable()),
    ]

    job_submit(actor=alice.actor, door=Door(dialect="native"), options=CutoutOptions(), sources=sources)

    assert ledger_sum(alice) == 1


def test_bad_input_is_never_charged(alice: Person) -> None:
    response = alice.api().post("/api/jobs/", {"image_base64": "bm90IGEgcGljdHVyZQ=="}, "application/json")

    assert response.status_code == 422
    assert not UsageEntry.objects.exists()


def test_pictures_over_the_teams_own_size_are_refused(alice: Person) -> None:
    set_quota(alice, max_image_bytes=1000)
    with pytest.raises(ImageTooLarge):
        submit_file(alice)

    set_quota(alice, max_image_megapixels=0.1)
    with pytest.raises(ImageDimensions):
        submit_file(alice)

    assert ledger_sum(alice) == 0


def test_the_worker_holds_a_download_to_the_teams_own_size(alice: Person) -> None:
    set_quota(alice, max_image_bytes=1000, max_image_megapixels=0.1)

    limits = limits_from_json(submit(alice).limits)

    assert (limits.max_bytes, limits.max_pixels) == (1000, 100_000)


def test_stored_bytes_are_bounded(alice: Person) -> None:
    set_quota(alice, stored_bytes=len(encoded("JPEG", quality=60)) + 10)
    submit_file(alice)

    with pytest.raises(QuotaExceeded) as refusal:
        submit_file(alice)

    assert refusal.value.window == "storage"


def test_a_fetched_source_without_room_in_the_storage_fails_and_is_refunded(alice: Person) -> None:
    set_quota(alice, stored_bytes=1000)
    first, second = submit(alice, 2).images.all()
    source_attach(image=claim(first), data=bytes(600), content_type="image/png", width=1, height=1)

    with pytest.raises(QuotaExceeded) as refusal:
        source_attach(image=claim(second), data=bytes(600), content_type="image/png", width=1, height=1)
    fail(JobImage.objects.get(pk=second.pk), refusal.value)

    assert refusal.value.window == "storage"
    assert stored_bytes(alice.team) == 600
    assert ledger_sum(alice) == 1


def test_pictures_of_unknown_size_need_some_room_and_files_of_the_server_their_own(alice: Person) -> None:
    set_quota(alice, stored_bytes=10)
    files = [FileSource("/inputs/a.png", "a.png", 6), FileSource("/inputs/b.png", "b.png", 5)]

    with pytest.raises(QuotaExceeded):
        submit(alice, 11)
    with pytest.raises(QuotaExceeded):
        job_submit(actor=alice.actor, door=Door(dialect="native"), options=CutoutOptions(), sources=files)
    submit(alice, 10)

    assert Job.objects.count() == 1


def test_more_waiting_pictures_than_allowed_are_refused(alice: Person) -> None:
    set_quota(alice, pending_tasks=3)
    submit(alice, 2)

    with pytest.raises(TooManyTasks):
        submit(alice, 2)

    submit(alice, 1)
    assert ledger_sum(alice) == 3


def test_a_dialects_own_number_of_waiting_pictures_is_kept(alice: Person) -> None:
    set_quota(alice, dialects={"sample": {"pending_tasks": 1}})
    submit(alice, dialect="sample")

    with pytest.raises(TooManyTasks):
        submit(alice, dialect="sample")

    submit(alice, dialect="native")


def test_a_teams_shorter_retention_counts(alice: Person) -> None:
    set_quota(alice, retention_hours=2)

    job = submit(alice)

    assert job.expires_at - job.created_at == dt.timedelta(hours=2)


def test_a_limit_that_makes_no_sense_is_refused_and_changes_nothing(alice: Person) -> None:
    for wrong in ({"running_tasks": 0}, {"dialects": {"sample": {"speed": 1}}}, {"pictures": 5}):
        with pytest.raises(InvalidParameter) as refusal:
            quota_change(author=Author(), team=alice.team, **wrong)
        assert refusal.value.field == next(iter(wrong))

    assert not Quota.objects.exists()


def test_changing_one_limit_keeps_the_sites_defaults_for_the_others(alice: Person, settings: Settings) -> None:
    settings.MATTING_QUOTA = settings.MATTING_QUOTA | {"images_per_month": 900}

    quota = quota_change(author=Author(), team=alice.team, images_per_day=50)

    assert (quota.images_per_day, quota.images_per_month, quota.requests_per_second) == (50, 900, 200)


def test_a_refund_over_two_days_locks_all_days_before_the_month_as_a_charge_does(alice: Person) -> None:
    job = submit(alice, 2)
    first, second = job.images.all()
    day = dt.date(2026, 3, 10)
    for image, charged_on in ((first, day), (second, day + dt.timedelta(days=1))):
        JobImage.objects.filter(pk=image.pk).update(charged_on=charged_on)
        UsagePeriod.objects.create(team=alice.team, kind="day", starts_on=charged_on, pictures=1)
    UsagePeriod.objects.create(team=alice.team, kind="month", starts_on=day.replace(day=1), pictures=2)

    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        assert usage_refund(job=job, image_ids=[first.pk, second.pk], reason="canceled") == 2

    updates = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "jobs_usageperiod"')]
    assert ["'day'" in update for update in updates] == [True, True, False]
    assert "2026-03-10" in updates[0]
    march = UsagePeriod.objects.filter(team=alice.team, starts_on__month=3)
    assert set(march.values_list("pictures", flat=True)) == {0}
