"""Tests that the sum of the usage ledger equals the team's usage after each step of a random sequence.

The steps are submissions, ends, cancellations, crashes, retries and purges.
"""

from __future__ import annotations

import datetime as dt
import random
from uuid import UUID

import pytest
from django.utils import timezone

from jobs.errors import JobNotCancelable, QuotaExceeded
from jobs.models import Job, JobImage, Status, UsageEntry, UsagePeriod
from jobs.work.cancel import job_cancel
from jobs.work.recovery import images_recover
from jobs.work.retention import job_purge
from jobs.work.retry import job_retry
from segmentation.errors import ImageUnreadable, InferenceFailed
from tests.cast import Person

from .actions import claim, fail, set_quota, submit, succeed

pytestmark = pytest.mark.slow

STEPS = 120


class Walk:
    """A random sequence of steps of one team. It also counts the charges that the ledger must contain."""

    def __init__(self, person: Person, seed: int) -> None:
        self.person = person
        self.chance = random.Random(seed)
        self.kept_after_purge = 0
        self.cut_short: set[UUID] = set()

    def step(self) -> None:
        steps = (self.submit, self.submit, self.work, self.work, self.cancel, self.crash, self.retry, self.purge)
        self.chance.choice(steps)()

    def submit(self) -> None:
        try:
            submit(self.person, self.chance.randint(1, 4))
        except QuotaExceeded:
            return

    def work(self) -> None:
        image = self._image(Status.QUEUED)
        running = image and claim(image)
        if running:
            end = self.chance.choice((succeed, fail, self._fail_twice, self._leave))
            end(running)

    def cancel(self) -> None:
        job = self._job()
        running = set(job.images.filter(status=Status.RUNNING).values_list("pk", flat=True))
        try:
            job_cancel(actor=self.person.actor, job=job)
        except JobNotCancelable:
            return
        self.cut_short |= running

    def crash(self) -> None:
        JobImage.objects.filter(status=Status.RUNNING).update(leased_until=timezone.now() - dt.timedelta(seconds=1))
        images_recover()

    def retry(self) -> None:
        try:
            job_retry(actor=self.person.actor, job=self._job())
        except QuotaExceeded:
            return

    def purge(self) -> None:
        job = self._job()
        self.kept_after_purge += sum(self._costs(image) for image in job.images.exclude(status=Status.QUEUED))
        job_purge(actor=self.person.actor, jobs=[job])

    def due(self) -> int:
        return self.kept_after_purge + sum(self._costs(image) for image in JobImage.objects.all())

    def _costs(self, image: JobImage) -> bool:
        return image.pk in self.cut_short or image.status in (Status.QUEUED, Status.RUNNING, Status.SUCCEEDED)

    def _fail_twice(self, image: JobImage) -> None:
        fail(image, InferenceFailed())
        fail(image, ImageUnreadable())

    def _leave(self, image: JobImage) -> None:
        """Do nothing, like a worker that was killed."""

    def _image(self, status: str) -> JobImage | None:
        found = list(JobImage.objects.filter(status=status).order_by("pk"))
        return self.chance.choice(found) if found else None

    def _job(self) -> Job:
        found = list(Job.objects.order_by("created_at", "pk"))
        return self.chance.choice(found) if found else submit(self.person)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_the_ledgers_sum_is_the_use_after_every_step_of_a_random_walk(alice: Person, seed: int) -> None:
    set_quota(alice, images_per_day=40)
    walk = Walk(alice, seed)
    for _ in range(STEPS):
        walk.step()

        ledger = sum(UsageEntry.objects.values_list("pictures", flat=True))
        assert ledger == walk.due()
        assert ledger <= 40
        assert set(UsagePeriod.objects.values_list("pictures", flat=True)) <= {ledger}
