"""Stage 5, worker: what a message makes a worker do. The only request-side module that runs the model."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from functools import partial

from django.conf import settings
from rq.timeouts import BaseTimeoutException

from jobs.errors import WaitTimeout
from jobs.inference import engines
from jobs.intake import folders
from jobs.intake.sources import limits_from_json
from jobs.models import Artifact, JobImage
from jobs.results import storage
from jobs.work import lifecycle, queue
from jobs.work.leases import lease_kept
from segmentation import image as pictures
from segmentation.errors import MattingError
from segmentation.pipeline import cut_out

logger = logging.getLogger(__name__)

_OTHER_HOST_FIRST_S = 1.0  # so that a host with the model takes the picture that this one has put back


def worker_name() -> str:
    """Name this process as leases and heartbeats do."""
    return f"{socket.gethostname()}-{os.getpid()}"


def image_process(image_id: str) -> None:
    """Claim one picture and bring it to its end; an error of any kind ends the picture, never the worker."""
    _attempt(image_id, _cut_out)
    engines.end_when_too_large()


def image_download(image_id: str) -> None:
    """Claim one picture, fetch it, and hand it over to a worker with a model; an error of any kind ends the picture."""
    _attempt(image_id, _download)


def _attempt(image_id: str, deed: Callable[[JobImage], None]) -> None:
    image = lifecycle.image_claim(image_id=image_id, worker=worker_name())
    if image is None:
        return
    lease_s = settings.MATTING_LEASE_S
    with lease_kept(partial(image.renew, lease_s=lease_s), every_s=lease_s / 4, name=f"picture {image.id}"):
        try:
            deed(image)
        except engines.HostLacksWeights:
            lifecycle.image_hand_over(image=image, timings_ms=image.timings_ms)
            time.sleep(_OTHER_HOST_FIRST_S)
        except MattingError as error:
            lifecycle.image_fail(image=image, error=error)
        except BaseTimeoutException:
            lifecycle.image_fail(image=image, error=WaitTimeout("The picture took longer than a worker may spend."))
        except Exception:
            logger.exception("picture %s failed", image.id)
            lifecycle.image_fail(image=image, error=MattingError())


def weights_try(path: str, *, reply_to: str) -> None:
    """Try a file of the weights folder and tell whoever asked what it is, or what is wrong with it."""
    queue.reply(reply_to, engines.tried(path))


def _cut_out(image: JobImage) -> None:
    job = image.job
    limits = limits_from_json(job.limits)
    data, timings = _source_of(image, limits)
    started = time.perf_counter()
    model = engines.engine_for(image)
    result = cut_out(data, job.cutout_options, model, limits)
    timings |= result.timings_ms
    timings["total"] = timings["fetch"] + (time.perf_counter() - started) * 1000
    choice = model.choice  # None: no model was needed, as for stamps
    lifecycle.image_succeed(
        image=image,
        result=result,
        timings_ms=_rounded(timings),
        model_version=choice.label if choice else "",
        tier=choice.tier if choice else "",
        model_reason=choice.reason if choice else "",
    )


def _download(image: JobImage) -> None:
    _, timings = _source_of(image, limits_from_json(image.job.limits))
    lifecycle.image_hand_over(image=image, timings_ms=_rounded(timings))


def _rounded(timings_ms: dict[str, float]) -> dict[str, float]:
    return {stage: round(duration, 2) for stage, duration in timings_ms.items()}


def _source_of(image: JobImage, limits: pictures.Limits) -> tuple[bytes, dict[str, float]]:
    """Give the picture's bytes, and how long it has been waited for and fetched, by the worker before this one too."""
    waited_ms = (image.started_at - image.enqueued_at).total_seconds() * 1000
    started = time.perf_counter()
    data = _stored_or_fetched(image, limits)
    spent = {"queue": waited_ms, "fetch": (time.perf_counter() - started) * 1000}
    return data, {stage: image.timings_ms.get(stage, 0.0) + duration for stage, duration in spent.items()}


def _stored_or_fetched(image: JobImage, limits: pictures.Limits) -> bytes:
    """Read the stored source, or fetch, check and store it when the caller gave a URL or a server file."""
    source = image.artifacts.filter(kind=Artifact.Kind.SOURCE).first()
    if source is not None:
        return storage.read(source.key)
    path, url = image.source_path, image.source_url
    data = folders.read_file(path, limits.max_bytes) if path else _downloaded(url)
    found = pictures.probe(data, limits)
    for box in image.job.cutout_options.boxes:
        box.clipped(found.width, found.height, min_side_px=limits.min_box_side_px)
    lifecycle.source_attach(
        image=image, data=data, content_type=f"image/{found.format}", width=found.width, height=found.height
    )
    return data


def _downloaded(url: str) -> bytes:
    from jobs.intake.fetch import fetch_bytes, policy_from_settings

    return fetch_bytes(url, policy_from_settings("picture")).data
