"""One attempt of a worker to process a picture: claim it, store its source, and record the result or the error."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from jobs.commit import after_commit
from jobs.inference.choice import FINE_LACKED
from jobs.inference.review import uncertain_announce
from jobs.models import Artifact, JobImage, Status, Tier
from jobs.quota.charges import quality_of, usage_check
from jobs.quota.limits import quota_of
from jobs.quota.refunds import usage_reduce, usage_refund
from jobs.results import storage
from jobs.results.artifacts import artifact_keep, artifact_stored
from jobs.results.deletions import files_discard
from jobs.work.capacity import claim_allowed, held_release, room_given_back
from jobs.work.dispatch import images_send
from jobs.work.ending import job_count, job_lock
from jobs.work.fairness import window_room
from jobs.work.faults import FAULT_DELAYS_S, database_retried, fault_text
from segmentation.errors import MattingError
from segmentation.options import Box, Quality
from segmentation.pipeline import CutoutResult, Rendered

if TYPE_CHECKING:
    from jobs.recipes.finishing import FinishedFile, FinishedPicture

logger = logging.getLogger(__name__)


def image_claim(*, image_id: str, worker: str) -> JobImage | None:
    """Claim a queued picture with a lease and return it.

    Return None if the picture is deleted, is not queued, or is not due yet. Also return None if the team already runs
    its maximum number of pictures. In this case the picture is held: it waits outside the queue until another picture
    of the team ends.
    worker: the name of the worker.
    """
    image = JobImage.objects.select_related("job__team__quota").filter(pk=image_id).first()
    if image is None:
        return None
    with transaction.atomic():
        if not claim_allowed(image.job):
            image.hold()
            return None
        job_lock(image.job_id)
        if not image.claim(worker=worker, lease_s=settings.MATTING_LEASE_S):
            return None
        image.job.start()
        after_commit(held_release, image.job.team)
    return image


def source_attach(*, image: JobImage, data: bytes, content_type: str, width: int, height: int) -> None:
    """Store the source file of a picture that a worker has downloaded or read.

    The quota is checked here because the size was unknown when the job was submitted. Raise QuotaExceeded if the team's
    storage is full, and the errors of `artifact_keep`.
    width, height: the size of the picture in pixels.
    """
    team = image.job.team
    usage_check(team=team, quota=quota_of(team), new_bytes=len(data), units=0)
    extension = storage.EXTENSIONS.get(content_type, "bin")
    artifact_keep(
        image=image,
        kind=Artifact.Kind.SOURCE,
        key=storage.key_of_result(image, Artifact.Kind.SOURCE, extension),
        data=data,
        content_type=content_type,
        width=width,
        height=height,
    )


def image_hand_over(*, image: JobImage, timings_ms: dict[str, float]) -> bool:
    """Queue a downloaded picture for a model worker. Return False if this attempt has lost its lease.

    If the team already has its maximum number of messages in the queue, the picture is held: it waits outside the
    queue.
    timings_ms: the durations of the stages so far in milliseconds; they are stored with the picture.
    """
    with transaction.atomic(), room_given_back(image.job):
        is_held = window_room(image.job.team_id, image.job.urgency, is_remote=False) <= 0
        handed = image.hand_over(timings_ms=timings_ms, is_held=is_held)
        if handed and not is_held:
            after_commit(images_send, [image.pk], urgency=image.job.urgency)
    return handed


def image_succeed(
    *,
    image: JobImage,
    result: CutoutResult,
    timings_ms: dict[str, float],
    model_version: str,
    tier: str = "",
    model_reason: str = "",
    finished: FinishedPicture | None = None,
) -> bool:
    """Store the result files of a picture, and write their rows and the picture's state in one commit.

    Return False if this attempt has lost its lease.
    result: the cutout.
    timings_ms: the duration of each stage in milliseconds.
    model_version: the name and version of the model; empty if no model was needed.
    tier: the tier (quality class) of the model; empty if no model was needed.
    model_reason: why this model was used (`Choice.reason`); empty if no model was needed.
    finished: the result of the job's recipes; None means that the job has no recipes.
    """
    artifacts: list[Artifact] = []
    try:
        for rendered, kind in _files_of(result):
            artifacts.append(_stored(image, rendered, kind))
        artifacts += [_stored_finished(image, file) for file in (finished.files if finished else ())]
        answered = {"model_version": model_version, "tier": tier, "model_reason": model_reason}
        notes = [*result.notes, *(finished.notes if finished else ())]
        ended = database_retried(
            lambda: _succeed(image, result, artifacts, notes=notes, timings_ms=timings_ms, **answered)
        )
    except BaseException as error:
        files_discard(keys=(artifact.key for artifact in artifacts), error=error)
        raise
    if not ended:
        files_discard(keys=(artifact.key for artifact in artifacts))
    return ended


def image_postpone(*, image: JobImage, error: Exception) -> bool:
    """Queue a picture again after a fault of the machine (disk, memory, database) or a service.

    After too many faults, the picture fails instead. Return False if this attempt has lost its lease.
    """
    if image.faults >= len(FAULT_DELAYS_S):
        logger.error("picture %s met %d faults of machines and is given up", image.pk, image.faults)
        return image_fail(image=image, error=error if isinstance(error, MattingError) else MattingError())
    with transaction.atomic(), room_given_back(image.job):
        return image.postpone(delay_s=FAULT_DELAYS_S[image.faults], fault=fault_text(error))


def image_fail(*, image: JobImage, error: MattingError) -> bool:
    """Set a picture to failed with the public code and message of `error`, and refund it.

    Return False if this attempt has lost its lease.
    """
    with transaction.atomic(), room_given_back(image.job):
        job_lock(image.job_id)
        ended = image.finish(Status.FAILED, error_code=error.code, error_message=error.message[:500])
        if ended:
            usage_refund(job=image.job, image_ids=[image.pk], reason=error.code)
            job_count(image.job_id)
    return ended


def _succeed(
    image: JobImage,
    result: CutoutResult,
    artifacts: list[Artifact],
    *,
    notes: list[str],
    timings_ms: dict[str, float],
    **answered: str,
) -> bool:
    with transaction.atomic(), room_given_back(image.job):
        job_lock(image.job_id)
        ended = image.finish(
            Status.SUCCEEDED,
            width=result.width,
            height=result.height,
            foreground=_corners(result.foreground),
            subject=result.subject,
            instances=[
                {"id": person.id, "box": _corners(person.box), "score": person.score, "area": person.area_px}
                for person in result.instances
            ],
            uncertainty=result.uncertainty,
            notes=notes,
            timings_ms=timings_ms,
            **answered,
        )
        if ended:
            Artifact.objects.bulk_create(artifacts)
            _refund_fine(image)
            uncertain_announce(image=image)
            job_count(image.job_id)
    return ended


def _refund_fine(image: JobImage) -> None:
    """Refund the price difference if the fast model processed a picture of quality `fine`.

    This happens if the fine model was missing or did not fit into memory.
    """
    if quality_of(image.job) == Quality.FINE and image.tier == Tier.FAST and image.model_reason in FINE_LACKED:
        quota = quota_of(image.job.team)
        difference = quota.units_of(Quality.FINE) - quota.units_of(Quality.FAST)
        usage_reduce(image=image, by=difference, reason=image.model_reason)


def _files_of(result: CutoutResult) -> list[tuple[Rendered, Artifact.Kind]]:
    files = [(rendered, Artifact.Kind(rendered.kind)) for rendered in result.outputs if rendered.kind != "alpha"]
    previews = [(result.preview, Artifact.Kind.PREVIEW)] if result.preview else []
    return [*files, (result.alpha, Artifact.Kind.ALPHA), (result.thumbnail, Artifact.Kind.THUMBNAIL), *previews]


def _stored(image: JobImage, rendered: Rendered, kind: Artifact.Kind) -> Artifact:
    return artifact_stored(
        image=image,
        kind=kind,
        key=storage.key_of_result(image, kind, rendered.extension.lstrip(".")),
        data=rendered.data,
        content_type=rendered.content_type,
        width=rendered.width,
        height=rendered.height,
    )


def _stored_finished(image: JobImage, file: FinishedFile) -> Artifact:
    return artifact_stored(
        image=image,
        kind=Artifact.Kind.FINISHED,
        key=storage.key_of_finished(image, file.name),
        data=file.written.data,
        content_type=file.written.content_type,
        width=file.written.width,
        height=file.written.height,
    )


def _corners(box: Box | None) -> list[int] | None:
    return None if box is None else [box.left, box.top, box.right, box.bottom]
