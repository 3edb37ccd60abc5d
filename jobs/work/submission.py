"""Creation of a job from checked sources and options in one transaction. The job is queued after the commit."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.commit import after_commit
from jobs.errors import IdempotencyConflict
from jobs.inference.quality import quality_settled
from jobs.intake.fetch import check_url, policy_from_settings
from jobs.intake.sources import (
    CheckedSource,
    FileSource,
    RefusedSource,
    Source,
    UrlSource,
    check_count,
    default_limits,
    limits_to_json,
)
from jobs.models import Action, Artifact, Job, JobImage, Quota, Status, Version
from jobs.quota.charges import usage_charge, usage_check
from jobs.quota.limits import limits_within, picture_check, quota_of
from jobs.recipes.selectors import NamedRecipe, recipes_to_json
from jobs.results import storage
from jobs.results.artifacts import artifact_stored
from jobs.results.deletions import files_discard
from jobs.teams.actor import Actor
from jobs.versions.corrections import correction_count, correction_units, version_number_next
from jobs.work import queue
from jobs.work.abilities import options_check
from jobs.work.admission import admission_check
from jobs.work.dispatch import images_send
from jobs.work.ending import job_count
from jobs.work.fairness import hold_beyond_window
from jobs.work.repeats import job_repeated, repeat_key_free, repeat_key_of, submission_note
from segmentation.errors import ImageMissing
from segmentation.image import Limits
from segmentation.options import CutoutOptions, Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How a job was submitted: the API or page, and the values that are stored with the job.

    dialect: the API dialect (an emulated vendor API) or page.
    external_id: the id that the API itself gives to the job.
    wire: values that the API needs for its responses.
    output_folder, output_names: a fixed storage folder and fixed file names (without extension) for the results.
    export_directory: a folder of the server to which the results are copied.
    bundle_key: the storage key of the zip; empty if no zip is made.
    idempotency_key, request_hash: the Idempotency-Key that the client sent, and a hash of the request's content; empty
    if the client sent no key.
    retention_hours: how long the job is kept, in hours; None means the value of the team or the site.
    worker_judges: if True, a worker rejects a picture that exceeds the team's limits; if False, `job_submit` rejects
    it.
    """

    dialect: str
    urgency: Job.Urgency = Job.Urgency.DEFAULT
    external_id: str = ""
    wire: dict[str, Any] = field(default_factory=dict)
    output_folder: str = ""
    output_names: Sequence[str] = ()
    export_directory: str = ""
    callback_url: str = ""
    bundle_key: str = ""
    idempotency_key: str = ""
    request_hash: str = ""
    retention_hours: int | None = None
    worker_judges: bool = False  # the worker, not the request, rejects a picture over the team's limits


def job_submit(
    *,
    actor: Actor,
    door: Door,
    options: CutoutOptions,
    sources: Sequence[Source],
    limits: Limits | None = None,
    recipes: Sequence[NamedRecipe] = (),
    corrects: JobImage | None = None,
) -> Job:
    """Store the sources, write the job with its pictures, queue the pictures after the commit, and return the job.

    If the client repeats a request whose response was not delivered, return the job of the first request
    (`jobs.work.repeats`). A RefusedSource becomes a failed picture. If all sources are refused, the returned job has
    failed.

    door: how the job is submitted.
    limits: the limits for the pictures; None means the site's limits.
    recipes: the recipes that are applied to each picture.
    corrects: the picture that the model processes again; the job becomes a version of it (`jobs.versions`). None means
    that the job is not a correction.

    Raise ImageMissing if there is no source, BoxInvalid if a box is outside its picture, the errors of `usage_charge`
    and `admission_check`, IdempotencyConflict if another job has the same Idempotency-Key, StorageFailed and
    QueueUnavailable. After an error, no file, row, message or charge remains.
    """
    quota = quota_of(actor.team)
    options = quality_settled(options, team=actor.team, dialect=door.dialect)
    limits = limits_within(limits or default_limits(), quota)
    _check(options, sources, limits, door.callback_url)
    if not door.worker_judges:
        _pictures_check(sources, limits)
    entry = corrects.pk if corrects else None
    repeat_key = repeat_key_of(
        actor=actor, door=door, options=options, sources=sources, recipes=recipes, corrects=entry
    )
    first = job_repeated(repeat_key)
    if first is not None:
        return first
    quality = options.quality or Quality.FAST
    units = quota.units_of(quality)
    if corrects is not None:
        units = correction_units(corrects, count=corrects.runs_again + 1, quality=quality, quota=quota)
    _quota_check(quota, actor, sources, limits, units=units)
    queue.require_available()
    admission_check(team=actor.team, urgency=door.urgency, pictures=len(sources))
    job = _new_job(actor, door, options, limits, len(sources), quota)
    job.recipes = recipes_to_json(recipes)
    job.repeat_key = repeat_key
    if corrects is not None:
        job.corrects = corrects
        job.expires_at = corrects.job.expires_at
    images = [_new_image(job, door, position, source) for position, source in enumerate(sources)]
    artifacts: list[Artifact] = []
    try:
        for image, source in zip(images, sources, strict=True):
            if isinstance(source, CheckedSource):
                artifacts.append(_store_source(job, image, source))
        with transaction.atomic():
            if door.idempotency_key:
                _forget_old_key(job)
            repeat_key_free(repeat_key)
            if corrects is not None:
                count = correction_count(corrects)
                units = correction_units(corrects, count=count, quality=quality, quota=quota)
            job.save(force_insert=True)
            if corrects is not None:
                Version.objects.create(image=corrects, number=version_number_next(corrects), run=job)
            waiting = [image for image in images if not image.is_terminal]
            usage_charge(job=job, images=waiting, quota=quota, units=units)
            sent = hold_beyond_window(job, waiting)
            JobImage.objects.bulk_create(images)
            Artifact.objects.bulk_create(artifacts)
            if len(waiting) < len(images):
                job_count(job.id)
            after_commit(images_send, [image.id for image in sent], urgency=job.urgency)
            audit_append(
                action=Action.JOB_SUBMITTED,
                author=Author.of(actor),
                target=job,
                after={"pictures": len(images), "dialect": job.dialect},
            )
    except BaseException as error:
        files_discard(keys=(artifact.key for artifact in artifacts), error=error)
        if isinstance(error, IntegrityError) and door.idempotency_key:
            raise IdempotencyConflict from error
        first = job_repeated(repeat_key) if isinstance(error, IntegrityError) else None
        if first is not None:  # a concurrent request with the same key
            return first
        raise
    submission_note(job)
    return job


def _forget_old_key(job: Job) -> None:
    """Clear an expired Idempotency-Key of an older job of the team, so that the new job can use the key."""
    oldest = job.created_at - Job.IDEMPOTENCY_KEY_LIFE
    old = Job.objects.filter(team=job.team, idempotency_key=job.idempotency_key, created_at__lte=oldest)
    old.update(idempotency_key="")


def _check(options: CutoutOptions, sources: Sequence[Source], limits: Limits, callback_url: str) -> None:
    if not sources:
        raise ImageMissing(field="image")
    check_count(len(sources))
    options_check(options)
    if callback_url:
        check_url(callback_url, policy_from_settings("callback"), field="callback_url")
    for source in sources:
        if isinstance(source, CheckedSource):
            probe = source.probe
            own = CutoutOptions.from_json(options.to_json() | dict(source.settings))
            own.on_picture(probe.width, probe.height, min_box_side_px=limits.min_box_side_px)


def _pictures_check(sources: Sequence[Source], limits: Limits) -> None:
    for source in sources:
        if isinstance(source, CheckedSource):
            picture_check(source.probe, limits)


def _quota_check(quota: Quota, actor: Actor, sources: Sequence[Source], limits: Limits, *, units: int) -> None:
    """Raise QuotaExceeded if the team's quota is too small for the pictures. No file is stored before this check.

    units: the units of the quota that each picture costs.
    """
    pictures = [source for source in sources if not isinstance(source, RefusedSource)]
    new_bytes = sum(_least_bytes(source, limits) for source in pictures)
    usage_check(team=actor.team, quota=quota, new_bytes=new_bytes, units=len(pictures) * units)


def _least_bytes(source: Source, limits: Limits) -> int:
    """Return the number of bytes that the quota check counts for a source.

    This is the size of the source, or 1 if the size is not known or the file is too large to be stored. If the size is
    not known, the worker checks the quota again.
    """
    match source:
        case CheckedSource():
            return source.probe.bytes
        case FileSource() if source.bytes <= limits.max_bytes:  # a larger file fails and is not stored
            return source.bytes
        case _:
            return 1


def _retention_hours(door: Door, quota: Quota) -> int:
    """Return how many hours the job is kept.

    This is the value of the request; if it has none, the value of the team; if the team has none, the value of the
    site. The result is at most the value of the team.
    """
    hours = door.retention_hours or quota.retention_hours or settings.MATTING_RETENTION_HOURS
    return min(hours, quota.retention_hours or hours)


def _new_job(actor: Actor, door: Door, options: CutoutOptions, limits: Limits, images_total: int, quota: Quota) -> Job:
    now = timezone.now()
    return Job(
        id=uuid.uuid4(),
        team=actor.team,
        user=actor.user,
        api_key=actor.key,
        dialect=door.dialect,
        urgency=door.urgency,
        options=options.to_json(),
        limits=limits_to_json(limits),
        wire=door.wire,
        external_id=door.external_id,
        output_folder=door.output_folder,
        export_directory=door.export_directory,
        callback_url=door.callback_url,
        bundle_key=door.bundle_key,
        request_id=actor.request_id,
        client_address=actor.address,
        idempotency_key=door.idempotency_key,
        request_hash=door.request_hash,
        images_total=images_total,
        created_at=now,
        expires_at=now + dt.timedelta(hours=_retention_hours(door, quota)),
    )


def _new_image(job: Job, door: Door, position: int, source: Source) -> JobImage:
    image = JobImage(id=uuid.uuid4(), job=job, position=position, name=source.name, enqueued_at=job.created_at)
    if door.output_names:
        image.output_name = door.output_names[position]
    match source:
        case UrlSource():
            image.source_url = source.url
        case FileSource():
            image.source_path = source.path
        case RefusedSource():
            image.status, image.finished_at = Status.FAILED, job.created_at
            image.error_code, image.error_message = source.error.code, source.error.message[:500]
        case CheckedSource():
            image.width, image.height = source.probe.width, source.probe.height
            image.notes = list(source.probe.notes)
            image.settings = dict(source.settings)
    return image


def _store_source(job: Job, image: JobImage, source: CheckedSource) -> Artifact:
    kind = f"image/{source.probe.format}"
    return artifact_stored(
        image=image,
        kind=Artifact.Kind.SOURCE,
        key=storage.key_of_source(job, image.position, storage.EXTENSIONS.get(kind, "bin")),
        data=source.stream(),
        content_type=kind,
        width=source.probe.width,
        height=source.probe.height,
    )
