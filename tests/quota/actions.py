"""Helpers of the quota tests: submit pictures, claim them as a worker does, and finish or fail them."""

from __future__ import annotations

from jobs.intake.sources import UrlSource, accept_bytes
from jobs.models import Job, JobImage, Quota, UsageEntry, UsagePeriod
from jobs.work.attempts import image_claim, image_fail, image_succeed
from jobs.work.repeats import jobs_delivered
from jobs.work.submission import Door, job_submit
from segmentation.errors import InferenceFailed, MattingError
from segmentation.options import CutoutOptions
from segmentation.pipeline import CutoutResult, Rendered
from tests.cast import Person
from tests.photos import encoded


def submit(person: Person, pictures: int = 1, *, dialect: str = "native", limits=None) -> Job:
    """Submit pictures by URL, and return the job. This is fast, because no picture is decoded or stored.

    pictures: the number of pictures. dialect: the name of the API that receives them. limits: the limits for pictures,
    or None for the site's limits.
    """
    sources = [UrlSource(f"https://pictures.example/{number}.jpg") for number in range(pictures)]
    job = job_submit(
        actor=person.actor, door=Door(dialect=dialect), options=CutoutOptions(), sources=sources, limits=limits
    )
    return _delivered(job)


def submit_file(person: Person) -> Job:
    source = accept_bytes(encoded("JPEG", quality=60), name="photo.jpg")
    job = job_submit(actor=person.actor, door=Door(dialect="native"), options=CutoutOptions(), sources=[source])
    return _delivered(job)


def _delivered(job: Job) -> Job:
    """Mark the job's response as delivered, so that the same submission is not treated as a repeated request."""
    jobs_delivered([job.pk])
    return job


def claim(image: JobImage) -> JobImage | None:
    return image_claim(image_id=str(image.pk), worker="worker-1")


def fail(image: JobImage, error: MattingError | None = None) -> bool:
    return image_fail(image=image, error=error or InferenceFailed())


def succeed(image: JobImage, *, tier: str = "", reason: str = "") -> bool:
    one = Rendered(kind="cutout", data=b"x", content_type="image/png", extension="png", width=1, height=1)
    result = CutoutResult(
        width=1,
        height=1,
        outputs=(one,),
        alpha=one,
        thumbnail=one,
        foreground=None,
        subject="object",
        instances=(),
        uncertainty=0.0,
        notes=(),
        timings_ms={},
    )
    return image_succeed(
        image=image,
        result=result,
        timings_ms={"total": 1.0},
        model_version="fake 0",
        tier=tier,
        model_reason=reason,
    )


def set_quota(person: Person, **limits: object) -> Quota:
    values = dict.fromkeys(Quota.LIMITS) | limits
    quota, _ = Quota.objects.update_or_create(team=person.team, defaults=values)
    person.team.refresh_from_db()
    return quota


def ledger_sum(person: Person) -> int:
    return sum(UsageEntry.objects.filter(team=person.team).values_list("pictures", flat=True))


def period_sums(person: Person) -> set[int]:
    return set(UsagePeriod.objects.filter(team=person.team).values_list("pictures", flat=True))
