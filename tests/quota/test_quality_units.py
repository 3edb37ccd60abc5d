"""Tests of pictures of quality `fine`, which cost several units: the quota, refunds and the usage page."""

from __future__ import annotations

import re

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from jobs.errors import QuotaExceeded
from jobs.intake.sources import UrlSource
from jobs.models import Job, JobImage, UsageEntry
from jobs.quota.refunds import usage_reduce, usage_refund
from jobs.quota.selectors import QualityUse, use_by_quality
from jobs.work.submission import Door, job_submit
from segmentation.options import CutoutOptions, Quality
from tests.cast import Person

from .actions import claim, period_sums, set_quota, submit, succeed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fine_is_active(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the quality `fine` available, although no fine model is active."""
    monkeypatch.setattr("jobs.inference.quality.active_version", lambda role, tier: object())


def submit_fine(person: Person, pictures: int = 1) -> Job:
    sources = [UrlSource(f"https://pictures.example/{number}.jpg") for number in range(pictures)]
    options = CutoutOptions(quality=Quality.FINE)
    return job_submit(actor=person.actor, door=Door(dialect="native"), options=options, sources=sources)


def test_a_fine_picture_counts_what_the_quota_says(alice: Person) -> None:
    set_quota(alice, images_per_day=8, quality_units={"fine": 3})
    submit(alice, 2)
    submit_fine(alice, 2)

    with pytest.raises(QuotaExceeded):
        submit(alice)

    assert period_sums(alice) == {8}
    use = use_by_quality(alice.actor, since=timezone.localdate())
    assert sorted(use, key=lambda one: one.quality) == [QualityUse("fast", 2, 2), QualityUse("fine", 2, 6)]


def test_a_refund_takes_back_what_was_counted_though_the_weights_have_changed(alice: Person) -> None:
    set_quota(alice, quality_units={"fine": 3})
    job = submit_fine(alice, 2)
    set_quota(alice, quality_units={"fine": 5})

    assert usage_refund(job=job, image_ids=list(job.images.values_list("pk", flat=True)), reason="canceled") == 2

    assert period_sums(alice) == {0}
    assert UsageEntry.objects.get(kind="refund").units == -6


def test_the_usage_page_shows_the_qualities_separately(alice: Person) -> None:
    set_quota(alice, quality_units={"fine": 3})
    submit(alice, 4)
    submit_fine(alice, 2)

    page = alice.browser().get(reverse("site:usage")).content.decode()

    table = page.split('id="quality-title"')[1].split("</table>")[0]
    rows = [re.sub(r"<[^>]*>|\s+", " ", row).split() for row in table.split("<tr>")[2:]]
    assert sorted(rows) == [["Fast", "4", "4"], ["Fine", "2", "6"]]


@pytest.mark.parametrize(
    ("tier", "reason", "units"),
    [("fast", "memory", 1), ("fast", "missing", 1), ("fine", "quality", 3), ("trial", "trial", 3)],
)
def test_a_fine_picture_that_the_fast_model_processed_is_charged_as_fast(
    alice: Person, tier: str, reason: str, units: int
) -> None:
    set_quota(alice, quality_units={"fine": 3})
    job = submit_fine(alice)
    image = claim(job.images.get())
    assert image is not None

    assert succeed(image, tier=tier, reason=reason)

    assert period_sums(alice) == {units}
    assert list(UsageEntry.objects.filter(kind="refund").values_list("pictures", "units", "reason")) == (
        [(0, -2, reason)] if units == 1 else []
    )
    assert use_by_quality(alice.actor, since=timezone.localdate()) == [QualityUse("fine", 1, units)]


def test_of_a_correction_no_more_is_refunded_than_it_was_charged(alice: Person) -> None:
    set_quota(alice, quality_units={"fine": 3})
    image = claim(submit_fine(alice).images.get())
    assert image is not None
    JobImage.objects.filter(pk=image.pk).update(charged_units=1)  # a correction costs only a difference

    with transaction.atomic():
        assert usage_reduce(image=JobImage.objects.get(pk=image.pk), by=2, reason="missing") == 1
        assert usage_reduce(image=JobImage.objects.get(pk=image.pk), by=2, reason="missing") == 0
