"""Stage 3, job: turn checked sources and options into one Job, in one transaction, and queue it with the commit."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs import queue, storage
from jobs.actor import Actor
from jobs.errors import IdempotencyConflict
from jobs.fetch import check_url, policy_from_settings
from jobs.intake import CheckedSource, Source, UrlSource, default_limits, limits_to_json
from jobs.models import Artifact, Job, JobImage
from segmentation.errors import ImageMissing, InvalidParameter
from segmentation.image import Limits
from segmentation.options import CutoutOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Say through which door a job came and what that door wants remembered; the pipeline itself ignores it."""

    dialect: Job.Dialect
    urgency: Job.Urgency = Job.Urgency.DEFAULT
    external_id: str = ""
    wire: dict[str, Any] = field(default_factory=dict)
    output_folder: str = ""
    output_names: Sequence[str] = ()
    export_directory: str = ""
    callback_url: str = ""
    idempotency_key: str = ""
    request_hash: str = ""
    retention_hours: int | None = None


def job_submit(
    *, actor: Actor, door: Door, options: CutoutOptions, sources: Sequence[Source], limits: Limits | None = None
) -> Job:
    """Store the sources, write the job and its pictures, and queue them when that is committed.

    Raises ImageMissing without a source, BoxInvalid for a box off its picture, the quota's errors, StorageFailed and
    QueueUnavailable; whatever is raised, no file, row, message or charge is left behind.
    """
    _check(options, sources, door.callback_url)
    queue.require_available()
    limits = limits or default_limits()
    job = _new_job(actor, door, options, limits, len(sources))
    images = [_new_image(job, door, position, source) for position, source in enumerate(sources)]
    artifacts: list[Artifact] = []
    try:
        for image, source in zip(images, sources, strict=True):
            if isinstance(source, CheckedSource):
                artifacts.append(_store_source(job, image, source))
        with transaction.atomic():
            job.save(force_insert=True)
            JobImage.objects.bulk_create(images)
            Artifact.objects.bulk_create(artifacts)
            ids = [image.id for image in images]
            transaction.on_commit(partial(queue.enqueue_images, ids, queue_name=job.urgency), robust=True)
    except BaseException as error:
        storage.discard(artifact.key for artifact in artifacts)
        if isinstance(error, IntegrityError) and door.idempotency_key:
            raise IdempotencyConflict from error
        raise
    return job


def _check(options: CutoutOptions, sources: Sequence[Source], callback_url: str) -> None:
    if not sources:
        raise ImageMissing(field="image")
    if len(sources) > settings.MATTING_MAX_IMAGES_PER_JOB:
        raise InvalidParameter(
            f"images: {len(sources)} are more than {settings.MATTING_MAX_IMAGES_PER_JOB} in one job", field="images"
        )
    if callback_url:
        check_url(callback_url, policy_from_settings("callback"), field="callback_url")
    for source in sources:
        if isinstance(source, CheckedSource):
            for box in options.boxes:
                box.clipped(source.probe.width, source.probe.height)


def _new_job(actor: Actor, door: Door, options: CutoutOptions, limits: Limits, images_total: int) -> Job:
    now = timezone.now()
    hours = settings.MATTING_RETENTION_HOURS if door.retention_hours is None else door.retention_hours
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
        request_id=actor.request_id,
        client_address=actor.address,
        idempotency_key=door.idempotency_key,
        request_hash=door.request_hash,
        images_total=images_total,
        created_at=now,
        expires_at=now + dt.timedelta(hours=hours),
    )


def _new_image(job: Job, door: Door, position: int, source: Source) -> JobImage:
    image = JobImage(id=uuid.uuid4(), job=job, position=position, name=source.name, enqueued_at=job.created_at)
    if door.output_names:
        image.output_name = door.output_names[position]
    if isinstance(source, UrlSource):
        image.source_url = source.url
    else:
        image.width, image.height = source.probe.width, source.probe.height
        image.notes = list(source.probe.notes)
    return image


def _store_source(job: Job, image: JobImage, source: CheckedSource) -> Artifact:
    data = source.read()
    kind = f"image/{source.probe.format}"
    stored = storage.store(storage.key_of_source(job, image.position, storage.EXTENSIONS.get(kind, "bin")), data)
    return Artifact(
        job=job,
        image=image,
        kind=Artifact.Kind.SOURCE,
        key=stored.key,
        content_type=kind,
        bytes=stored.bytes,
        sha256=stored.sha256,
        width=source.probe.width,
        height=source.probe.height,
        expires_at=job.expires_at,
    )
