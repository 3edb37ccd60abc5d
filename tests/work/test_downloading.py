"""Tests of a picture that is given by its URL: one worker downloads it and another worker processes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import django_rq
import pytest
from django.utils import timezone

from jobs.errors import DownloadFailed
from jobs.intake.fetch import Fetched
from jobs.intake.sources import limits_from_json
from jobs.models import Artifact, JobImage, Status
from jobs.work import queue, serving, tasks
from jobs.work.cancel import job_cancel
from jobs.work.dispatch import images_send
from jobs.work.recovery import images_recover
from jobs.work.retry import job_retry
from tests.cast import Person
from tests.photos import encoded
from tests.quota.actions import claim, fail, submit, submit_file, succeed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fetch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], bytes]], None]:
    """Replace the download of a URL by a small picture.

    Return a function that takes another function and replaces the download by a call of this other function.
    """

    def answering(answer: Callable[[], bytes]) -> None:
        monkeypatch.setattr(
            "jobs.intake.fetch.fetch_bytes", lambda url, policy: Fetched(answer(), "image/jpeg", url, 3)
        )

    answering(lambda: encoded("JPEG", quality=60))
    return answering


def waiting(name: str) -> list[str]:
    return django_rq.get_queue(name).job_ids


def test_a_picture_goes_first_to_the_worker_that_it_needs(alice: Person) -> None:
    remote, uploaded = submit(alice).images.get(), submit_file(alice).images.get()

    assert waiting("default-downloads") == [f"default-downloads-{remote.pk}"]
    assert waiting("default") == [f"default-{uploaded.pk}"]
    assert queue.waiting_image_ids() == {str(remote.pk), str(uploaded.pk)}


def test_a_fetched_picture_is_stored_and_waits_for_a_model_without_a_strike(fetch, alice: Person) -> None:
    image = submit(alice).images.get()

    serving.serve(queue.DOWNLOAD_QUEUES, name="fetcher", until_empty=True)

    image.refresh_from_db()
    assert (image.status, image.attempt, image.strikes, image.leased_until) == (Status.QUEUED, 1, 0, None)
    assert image.artifacts.get().kind == Artifact.Kind.SOURCE
    assert image.job.status == "running"
    assert (waiting("default-downloads"), waiting("default")) == ([], [f"default-{image.pk}"])


def test_the_waits_for_both_workers_and_the_download_are_told_together(
    fetch, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = submit(alice).images.get()
    JobImage.objects.update(enqueued_at=timezone.now() - dt.timedelta(seconds=5))
    tasks.image_download(str(image.pk))
    fetched = JobImage.objects.get().timings_ms
    JobImage.objects.update(enqueued_at=timezone.now() - dt.timedelta(seconds=7))

    again = claim(image)
    _, told = tasks._source_of(again, limits=None)

    assert fetched["fetch"] > 0
    assert told["queue"] >= 12_000 > 7_000 > fetched["queue"] >= 5_000
    assert told["fetch"] > fetched["fetch"]


def test_a_failed_download_ends_the_picture_and_troubles_no_model(fetch, alice: Person) -> None:
    def refuse() -> bytes:
        raise DownloadFailed

    fetch(refuse)
    image = submit(alice).images.get()

    serving.serve(queue.DOWNLOAD_QUEUES, name="fetcher", until_empty=True)

    image.refresh_from_db()
    assert (image.status, image.error_code) == (Status.FAILED, "download_failed")
    assert waiting("default") == []


def test_what_was_cancelled_while_it_was_fetched_is_not_handed_over(fetch, alice: Person) -> None:
    job = submit(alice)

    def cancel() -> bytes:
        job_cancel(actor=alice.actor, job=job)
        return encoded("JPEG", quality=60)

    fetch(cancel)
    tasks.image_download(str(job.images.get().pk))

    assert job.images.get().status == Status.CANCELED
    assert waiting("default") == []


def test_a_lost_download_goes_to_those_who_fetch_and_a_lost_cutout_to_a_model(fetch, alice: Person) -> None:
    image = submit(alice).images.get()
    django_rq.get_queue("default-downloads").empty()
    claim(image)
    JobImage.objects.update(leased_until=timezone.now() - dt.timedelta(seconds=1))

    assert images_recover() == 1
    assert waiting("default-downloads") == [f"default-downloads-{image.pk}"]

    serving.serve(queue.DOWNLOAD_QUEUES, name="fetcher", until_empty=True)
    django_rq.get_queue("default").empty()
    claim(image)
    JobImage.objects.update(leased_until=timezone.now() - dt.timedelta(seconds=1))

    assert images_recover() == 1
    assert (waiting("default-downloads"), waiting("default")) == ([], [f"default-{image.pk}"])


def test_a_retry_fetches_no_picture_again_that_is_there_and_forgets_its_times(fetch, alice: Person) -> None:
    job = submit(alice, 2)
    there, gone = job.images.all()
    tasks.image_download(str(there.pk))
    fail(claim(there))
    fail(claim(gone))
    for name in queue.QUEUES:
        django_rq.get_queue(name).empty()

    assert job_retry(actor=alice.actor, job=job) == 2

    assert waiting("default-downloads") == [f"default-downloads-{gone.pk}"]
    assert waiting("default") == [f"default-{there.pk}"]
    assert JobImage.objects.get(pk=there.pk).timings_ms == {}


def test_the_more_urgent_download_comes_first(fetch, alice: Person) -> None:
    late, soon = submit(alice).images.get(), submit(alice).images.get()
    django_rq.get_queue("default-downloads").empty()
    images_send([late.pk], urgency="batch")
    images_send([soon.pk], urgency="interactive")
    order: list[str] = []
    fetch(lambda: order.append(JobImage.objects.get(status=Status.RUNNING).pk) or encoded("JPEG", quality=60))

    serving.serve(queue.DOWNLOAD_QUEUES, name="fetcher", until_empty=True)

    assert order == [soon.pk, late.pk]


def test_a_message_to_a_model_downloads_a_source_that_is_missing(fetch, alice: Person) -> None:
    """A picture must be processed even if its source was not downloaded before.

    The previous release sends pictures to the model's queue before it downloads their sources.
    """
    image = submit(alice).images.get()

    data, told = tasks._source_of(claim(image), limits=limits_from_json(image.job.limits))

    assert data == encoded("JPEG", quality=60)
    assert image.artifacts.get().kind == Artifact.Kind.SOURCE
    assert told["fetch"] > 0
    assert succeed(JobImage.objects.select_related("job__team").get())
