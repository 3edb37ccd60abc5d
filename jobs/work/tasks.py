"""The tasks of model workers and of download workers. Only worker processes import this module."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

import numpy as np
from django.conf import settings
from django.db.models import F
from rq import get_current_job
from rq.timeouts import BaseTimeoutException
from structlog.contextvars import bound_contextvars

from jobs.errors import NotFound, StorageFailed, WaitTimeout
from jobs.inference import engines
from jobs.inference.activation import WEIGHTS_TRY
from jobs.intake import fetch, folders
from jobs.intake.content_check import content_check
from jobs.intake.sources import default_limits, limits_from_json
from jobs.models import Artifact, JobImage
from jobs.recipes.finishing import FinishedPicture, picture_finish
from jobs.recipes.selectors import recipes_from_json
from jobs.results import storage
from jobs.telemetry.tracing import picture_traced
from jobs.telemetry.transitions import machine_fault, stages_done
from jobs.work import queue
from jobs.work.attempts import (
    image_claim,
    image_fail,
    image_hand_over,
    image_postpone,
    image_succeed,
    source_attach,
)
from jobs.work.drafts import draft_put, has_draft
from jobs.work.faults import component_of, database_retried, fitness, is_machine_fault
from jobs.work.first_picture import FIRST_PICTURE
from jobs.work.lanes import lanes
from jobs.work.leases import lease_kept
from jobs.work.registry import runs
from segmentation.encode import encode_png
from segmentation.errors import MattingError
from segmentation.image import Limits, probe
from segmentation.options import CutoutOptions, Quality
from segmentation.pipeline import CutoutResult, cut_out

logger = logging.getLogger(__name__)

_OTHER_HOST_FIRST_S = 1.0  # a pause in which a host with the model takes the picture that this host has returned


def worker_name() -> str:
    """Return the name of this process. Leases and heartbeats contain this name."""
    return f"{socket.gethostname()}-{os.getpid()}"


@runs(queue.IMAGE_PROCESS)
def image_process(image_id: str) -> None:
    """Claim one picture and process it, in a thread of `lanes` if these threads are open.

    If an error concerns the picture, the picture fails. After a fault of the machine (disk, memory, database), the
    picture returns to the queue. If a worker died while it processed this picture, the picture is now processed alone.
    If the worker dies again, this picture must be the cause.
    """
    message = get_current_job()
    if message is not None and lanes.is_open and not _has_lost_a_worker(image_id):
        lanes.start(partial(_attempt, image_id, _cut_out), limit_s=message.timeout, queue_name=message.origin)
    else:
        lanes.drain()
        _attempt(image_id, _cut_out)
    engines.end_when_too_large()


@runs(queue.IMAGE_DOWNLOAD)
def image_download(image_id: str) -> None:
    """Claim one picture, download it and queue it for a model.

    If an error concerns the picture, the picture fails. After a fault of the machine, the picture returns to the queue.
    """
    _attempt(image_id, _download)


@runs(WEIGHTS_TRY)
def weights_try(path: str, sha256: str = "", storage_key: str = "", *, reply_to: str) -> None:
    """Load a file of the weights folder, and reply with a description of the model or with the error.

    path: the path of the file, relative to the weights folder.
    sha256, storage_key: the hash and the storage key of a copy, for a host that does not have the file; empty if there
    is no copy.
    reply_to: the address of the reply.
    """
    queue.reply(reply_to, engines.tried(path, sha256, storage_key))


@runs(FIRST_PICTURE)
def first_picture(*, reply_to: str) -> None:
    """Cut out a small picture; store, read and delete the result, and reply with its size in bytes.

    reply_to: the address of the reply.
    """
    pixels = np.full((64, 64, 3), 230, np.uint8)
    pixels[16:48, 16:48] = 30
    engine = engines.engine_for_command(Quality.FAST)
    result = cut_out(encode_png(pixels), CutoutOptions(), engine, default_limits())
    stored = storage.store(f"first-picture/{uuid4().hex}.png", result.outputs[0].data)
    try:
        length = len(storage.read(stored.key))
    finally:
        storage.delete(stored.key)
    queue.reply(reply_to, length)


def _has_lost_a_worker(image_id: str) -> bool:
    images = JobImage.objects.filter(pk=image_id, attempt__gt=F("attempts_before"))
    return database_retried(images.exists)


def _attempt(image_id: str, step: Callable[[JobImage], None]) -> None:
    image = database_retried(lambda: image_claim(image_id=image_id, worker=worker_name()))
    if image is None:
        return
    ids = {"job": image.job_id, "picture": image.pk, "team": image.job.team_id, "request_id": image.job.request_id}
    bound = {name: str(value) for name, value in ids.items() if value} | {"worker": worker_name()}
    with bound_contextvars(**bound), lease_kept(image, lease_s=settings.MATTING_LEASE_S):
        try:
            step(image)
            fitness.success()
        except engines.HostLacksWeights:
            image_hand_over(image=image, timings_ms=image.timings_ms)
            time.sleep(_OTHER_HOST_FIRST_S)
        except BaseTimeoutException:
            timeout = WaitTimeout("The picture took longer than a worker may spend.")
            database_retried(lambda: image_fail(image=image, error=timeout))
        except Exception as error:
            _end_with(image, error)


def _end_with(image: JobImage, error: Exception) -> None:
    """End an attempt that has raised an error.

    After a fault of the machine or a service, the picture returns to the queue. After any other error, the picture
    fails.
    """
    if is_machine_fault(error):
        logger.warning("a fault of this machine stopped picture %s", image.id, exc_info=error)
        fitness.fault(error)
        machine_fault(component=component_of(error))
        database_retried(lambda: image_postpone(image=image, error=error))
        return
    if isinstance(error, MattingError):
        verdict = error
    else:
        logger.error("picture %s failed", image.id, exc_info=error)
        verdict = MattingError()
    database_retried(lambda: image_fail(image=image, error=verdict))


def _cut_out(image: JobImage) -> None:
    job = image.job
    limits = limits_from_json(job.limits)
    data, timings = _source_of(image, limits)
    content_check(data, {"job": str(job.pk), "team": job.team.name, "dialect": job.dialect})
    started = time.perf_counter()
    model = engines.engine_for(image)
    on_draft = partial(draft_put, image) if has_draft(image) else None
    result = cut_out(data, image.cutout_options, model, limits, on_draft=on_draft)
    timings |= result.timings_ms
    finished = _finished(image, data, result, limits, timings)
    timings["total"] = timings["fetch"] + (time.perf_counter() - started) * 1000
    choice = model.choice  # None when no model was needed, as for stamps
    ended = image_succeed(
        image=image,
        result=result,
        timings_ms=_rounded(timings),
        model_version=choice.label if choice else "",
        tier=choice.tier if choice else "",
        model_reason=choice.reason if choice else "",
        finished=finished,
    )
    if ended:
        stages_done(timings)
        picture_traced(
            request_id=job.request_id,
            enqueued_at=image.enqueued_at,
            timings_ms=timings,
            attributes={"keyline.job": str(job.pk), "keyline.picture": str(image.pk), "keyline.worker": worker_name()}
            | {"keyline.model": choice.label if choice else ""},
        )


def _finished(
    image: JobImage, data: bytes, result: CutoutResult, limits: Limits, timings_ms: dict[str, float]
) -> FinishedPicture | None:
    """Apply the job's recipes to the processed picture; return None if the job has no recipes.

    The duration is added to `timings_ms`.
    """
    job = image.job
    if not job.recipes:
        return None
    started = time.perf_counter()
    finished = picture_finish(
        team=job.team,
        name=image.name,
        source=data,
        alpha_png=result.alpha.data,
        options=image.cutout_options,
        recipes=recipes_from_json(job.recipes),
        limits=limits,
    )
    timings_ms["finish"] = (time.perf_counter() - started) * 1000
    return finished


def _download(image: JobImage) -> None:
    _, timings = _source_of(image, limits_from_json(image.job.limits))
    image_hand_over(image=image, timings_ms=_rounded(timings))


def _rounded(timings_ms: dict[str, float]) -> dict[str, float]:
    return {stage: round(duration, 2) for stage, duration in timings_ms.items()}


def _source_of(image: JobImage, limits: Limits) -> tuple[bytes, dict[str, float]]:
    """Return the picture's bytes, and the times for waiting (`queue`) and for reading (`fetch`) in milliseconds.

    The times of an earlier download stage are added.
    """
    started_at = image.started_at or image.enqueued_at
    waited_ms = (started_at - image.enqueued_at).total_seconds() * 1000
    started = time.perf_counter()
    data = _stored_or_fetched(image, limits)
    spent = {"queue": waited_ms, "fetch": (time.perf_counter() - started) * 1000}
    return data, {stage: image.timings_ms.get(stage, 0.0) + duration for stage, duration in spent.items()}


def _stored_or_fetched(image: JobImage, limits: Limits) -> bytes:
    """Return the stored source. If there is none, fetch, check and store the file that was given by URL or path."""
    source = image.artifacts.filter(kind=Artifact.Kind.SOURCE).first()
    if source is not None:
        return _stored(source)
    path, url = image.source_path, image.source_url
    data = folders.read_file(path, limits.max_bytes) if path else _downloaded(url)
    found = probe(data, limits)
    image.job.cutout_options.on_picture(found.width, found.height, min_box_side_px=limits.min_box_side_px)
    source_attach(image=image, data=data, content_type=f"image/{found.format}", width=found.width, height=found.height)
    return data


def _stored(source: Artifact) -> bytes:
    """Return the bytes of a stored source.

    Raise StorageFailed if the file is missing, because this indicates a fault such as a removed bucket.
    """
    try:
        return storage.read(source.key)
    except NotFound as error:
        raise StorageFailed from error


def _downloaded(url: str) -> bytes:
    return fetch.fetch_bytes(url, fetch.policy_from_settings("picture")).data
