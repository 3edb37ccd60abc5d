"""Queries for the jobs and pictures that an actor (a user or an API key) may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, Max, QuerySet, prefetch_related_objects
from django.db.models.functions import Lower
from django.utils import timezone

from jobs.errors import JobNotFound, PictureNotFound
from jobs.models import Artifact, Job, JobImage, Status
from jobs.models.identifiers import is_uuid
from jobs.models.job import UNCERTAIN_FIRST
from jobs.teams.actor import Actor

SMALL_JOB_PICTURES = 8


def jobs_of(actor: Actor) -> QuerySet[Job]:
    """Return the jobs that the actor may see.

    These are all jobs of the team, or only the actor's own jobs if the team hides the jobs of other members.
    """
    jobs = Job.objects.filter(team=actor.team)
    return jobs.filter(user=actor.user) if actor.sees_only_own else jobs


def entries_of(actor: Actor) -> QuerySet[Job]:
    """Return the jobs that the actor may see, without corrections.

    Lists show the corrected picture instead of the correction.
    """
    return jobs_of(actor).filter(corrects=None)


def job_get(actor: Actor, job_id: UUID | str) -> Job:
    """Return one job; raise JobNotFound if it does not exist, belongs to another team, or is hidden from the actor."""
    job = jobs_of(actor).filter(pk=job_id).first()
    if job is None:
        raise JobNotFound
    return job


def job_now(job_id: UUID | str) -> Job:
    """Return the current state of a job; raise JobNotFound if the job has been deleted.

    This function does not check whether a caller may see the job.
    """
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise JobNotFound
    return job


def ended_or_deleted(job_ids: Sequence[str]) -> list[str]:
    """Return those of the given job ids whose jobs have ended or have been deleted."""
    running = set()
    for start in range(0, len(job_ids), 500):  # both databases accept this number of parameters
        found = Job.objects.filter(pk__in=job_ids[start : start + 500]).exclude(status__in=Job.TERMINAL)
        running |= {str(job_id) for job_id in found.values_list("pk", flat=True)}
    return [job_id for job_id in job_ids if job_id not in running]


def jobs_filtered(actor: Actor, chosen: Mapping[str, Any]) -> QuerySet[Job]:
    """Return the jobs that the actor may see, with the filters in `chosen`, without corrections.

    The newest jobs come first. With the order `uncertain`, the most uncertain jobs come first. Pictures and artifacts
    are prefetched, so the number of queries is constant.
    chosen: `status`, `dialect` (the API), `created_after`, `created_before`, `uncertainty_from`, and `order`.
    """
    jobs = entries_of(actor)
    for name in ("status", "dialect"):
        if chosen.get(name):
            jobs = jobs.filter(**{name: chosen[name]})
    if chosen.get("created_after"):
        jobs = jobs.filter(created_at__gte=chosen["created_after"])
    if chosen.get("created_before"):
        jobs = jobs.filter(created_at__lt=chosen["created_before"])
    jobs = jobs.prefetch_related("images__artifacts")
    if chosen.get("uncertainty_from") is None and chosen.get("order") != "uncertain":
        return jobs.order_by("-created_at", "id")
    jobs = jobs.alias(most_uncertain=Max("images__uncertainty"))
    if chosen.get("uncertainty_from") is not None:
        jobs = jobs.filter(most_uncertain__gte=chosen["uncertainty_from"])
    if chosen.get("order") == "uncertain":
        return jobs.order_by(F("most_uncertain").desc(nulls_last=True), "-created_at", "id")
    return jobs.order_by("-created_at", "id")


def jobs_kept(actor: Actor, dialect: str, chosen: Mapping[str, Any]) -> QuerySet[Job]:
    """Return the jobs of one API dialect (an emulated vendor API) that the actor may see and that have not expired.

    chosen: the filters of `jobs_filtered`.
    """
    return jobs_filtered(actor, {**chosen, "dialect": dialect}).filter(expires_at__gt=timezone.now())


def job_by_external_id(actor: Actor, dialect: str, external_id: str) -> Job:
    if not external_id.isprintable() or not external_id:  # PostgreSQL does not accept NUL
        raise JobNotFound
    job = jobs_of(actor).filter(dialect=dialect, external_id=external_id).first()
    if job is None:
        raise JobNotFound
    return job


def external_id_is_taken(dialect: str, external_id: str) -> bool:
    return Job.objects.filter(dialect=dialect, external_id=external_id).exists()


def job_by_idempotency_key(actor: Actor, idempotency_key: str) -> Job | None:
    """Return the job that was created with this Idempotency-Key.

    Return None if there is no such job, if the key has expired, or if the actor may not see the job.
    """
    oldest = timezone.now() - Job.IDEMPOTENCY_KEY_LIFE
    return jobs_of(actor).filter(idempotency_key=idempotency_key, created_at__gt=oldest).first()


def job_of_file(actor: Actor, key: str) -> Job | None:
    """Return the job that a watcher submitted for a file; None if the file may be submitted.

    A client's Idempotency-Key expires, but the key of a file is valid as long as the job exists. A watcher that was
    stopped for days therefore charges no picture again. If the job failed or was cancelled, its key expires too, and
    the file may then be submitted again.
    key: the key that the watcher computed for the file.
    """
    job = jobs_of(actor).filter(idempotency_key=key).first()
    if job is None or job.status == Status.SUCCEEDED or not job.is_terminal:
        return job
    return job_by_idempotency_key(actor, key)


def images_of(job: Job) -> list[JobImage]:
    """Return a job's pictures in order, with their artifacts and versions. No query is made for prefetched rows."""
    images = list(job.images.all())
    version = ("shown_version__file", "shown_version__thumbnail", "shown_version__run__images__artifacts")
    prefetch_related_objects(images, "artifacts", *version)
    return images


def images_of_small_job(job: Job) -> list[JobImage] | None:
    """Return the pictures of a small job in order, with their artifacts, by one query.

    Each row of the query repeats the data of the picture, so the query is suitable only for small jobs. Return None if
    the job has more than SMALL_JOB_PICTURES pictures or if a picture has no file; then call `images_of`.
    """
    if job.images_total > SMALL_JOB_PICTURES:
        return None
    files: dict[UUID, list[Artifact]] = {}
    images: dict[UUID, JobImage] = {}
    for artifact in Artifact.objects.filter(job=job, image__isnull=False).select_related("image"):
        image = artifact.image
        assert image is not None
        images.setdefault(image.pk, image)
        files.setdefault(image.pk, []).append(artifact)
    if len(images) != job.images_total:  # a picture has no file yet, or was deleted
        return None
    for image in images.values():
        image.job = job
        found = image.artifacts.all()
        found._result_cache = files[image.pk]
        image._prefetched_objects_cache = {"artifacts": found}  # type: ignore[attr-defined]  # as a prefetch does
    return sorted(images.values(), key=lambda image: image.position)


def image_at(job: Job, position: int | None = None) -> JobImage:
    """Return the picture at `position`; None means the first picture. Positions may have gaps after deletions.

    Raise PictureNotFound if there is no such picture.
    """
    images = job.images.prefetch_related("artifacts").order_by("position")
    image = (images if position is None else images.filter(position=position)).first()
    if image is None:
        raise PictureNotFound("The job has no picture at this position, or it has been deleted.", field="position")
    return image


def _images_seen(actor: Actor) -> QuerySet[JobImage]:
    """Return the pictures of the jobs that `entries_of` returns.

    The query uses a join. With a subquery, databases would sort all pictures of a team.
    """
    images = JobImage.objects.filter(job__team=actor.team, job__corrects=None)
    return images.filter(job__user=actor.user) if actor.sees_only_own else images


def images_recent(actor: Actor, count: int) -> list[JobImage]:
    """Return up to `count` finished pictures that the actor may see, newest first, with their artifacts."""
    images = _images_seen(actor).filter(status=Status.SUCCEEDED)
    return list(with_version(images.select_related("job")).order_by("-finished_at")[:count])


def with_version(images: QuerySet[JobImage]) -> QuerySet[JobImage]:
    """Return the pictures with their files, and the files of their shown versions, prefetched."""
    shown = images.select_related("shown_version__thumbnail", "shown_version__file", "shown_version__run")
    return shown.prefetch_related("artifacts", "shown_version__run__images__artifacts")


def images_filtered(actor: Actor, chosen: Mapping[str, Any]) -> QuerySet[JobImage]:
    """Return the pictures that the actor may see, with the filters in `chosen`, by default the newest first.

    chosen: `q` (part of the name), `status`, `subject`, `dialect` (the API), `since`, `until`, `uncertainty_from`,
    `mine`, and `order` (`uncertain`, `oldest` or `name`).
    """
    images = with_version(_images_seen(actor).select_related("job"))
    lookups = {
        "q": "name__icontains",
        "status": "status",
        "subject": "subject",
        "dialect": "job__dialect",
        "since": "job__created_at__date__gte",
        "until": "job__created_at__date__lte",
        "uncertainty_from": "uncertainty__gte",
    }
    for name, lookup in lookups.items():
        if chosen.get(name):
            images = images.filter(**{lookup: chosen[name]})
    if chosen.get("mine"):
        images = images.filter(job__user=actor.user)
    newest = ("-job__created_at", "job_id", "position")
    match chosen.get("order"):
        case "uncertain":
            return images.order_by(UNCERTAIN_FIRST, *newest)
        case "oldest":
            return images.order_by("job__created_at", "job_id", "position")
        case "name":
            return images.order_by(Lower("name"), *newest)
    return images.order_by(*newest)


def positions_beside(image: JobImage) -> tuple[int | None, int | None]:
    """Return the positions of the previous and the next picture in the job.

    A position is None if there is no previous or no next picture.
    """
    positions = image.job.images.order_by("position").values_list("position", flat=True)
    before = positions.filter(position__lt=image.position).last()
    return before, positions.filter(position__gt=image.position).first()


def image_get(actor: Actor, image_id: UUID) -> JobImage:
    """Return one picture with its artifacts; raise PictureNotFound if it is missing or the actor may not see it."""
    images = JobImage.objects.filter(pk=image_id, job__in=jobs_of(actor)).select_related("job")
    image = images.prefetch_related("artifacts").first()
    if image is None:
        raise PictureNotFound
    return image


def images_chosen(actor: Actor, image_ids: Sequence[str]) -> list[JobImage]:
    """Return the pictures with these ids that the actor may see. Other ids are ignored."""
    ids = [image_id for image_id in image_ids if is_uuid(image_id)]
    images = JobImage.objects.filter(pk__in=ids, job__in=jobs_of(actor)).select_related("job__team")
    return list(with_version(images).order_by("job_id", "position"))
