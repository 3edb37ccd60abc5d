"""Native API: compute the ETag of a job from a few database columns."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Sum, Value

from jobs.models import Artifact, Job, JobImage
from jobs.results import storage

_MOMENTS = ("enqueued_at", "started_at", "finished_at")
_FILES = -1  # the value of the column `tries` in the row of the files


def job_etag(job: Job, *, page: str, language: str, images: Sequence[JobImage] | None = None) -> str:
    """Return an ETag that changes whenever the job's JSON changes.

    The JSON contains signed links, so the ETag also depends on the time until which the links are valid.

    page: the query string, which selects the page of pictures.
    language: the language of the texts in the JSON.
    images: all pictures of the job with their artifacts, if the caller has already read them; None: one database query
    reads the necessary values.
    """
    counted = _summed(job) if images is None else _summed_here(images)
    state = (job.pk, job.status, job.images_succeeded, job.images_failed, job.finished_at, job.expires_at)
    links_until = storage.link_end(settings.MATTING_LINK_TTL_S)
    text = repr((state, counted, links_until, page, language))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _summed(job: Job) -> list[tuple[Any, ...]]:
    """Return one row for the job's pictures and one row for their files.

    Each row contains the number of objects, the number of attempts and the latest times. The number of attempts in the
    row of the files is always -1.
    """
    pictures = JobImage.objects.filter(job=job).order_by().values("job_id")
    pictures = pictures.annotate(Count("pk"), tries=Sum("attempt"), **_latest(_MOMENTS))
    files = Artifact.objects.filter(job=job, image__isnull=False).order_by().values("job_id")
    files = files.annotate(Count("pk"), tries=Value(_FILES), **_latest(("created_at",) * len(_MOMENTS)))
    columns = ("pk__count", "tries", *_latest(_MOMENTS))
    return sorted(pictures.values_list(*columns).union(files.values_list(*columns), all=True), key=lambda row: row[1])


def _latest(names: Sequence[str]) -> dict[str, Max]:
    return {f"latest_{number}": Max(name) for number, name in enumerate(names)}


def _summed_here(images: Sequence[JobImage]) -> list[tuple[Any, ...]]:
    """Return the same rows as `_summed`, but compute them from pictures that have already been read."""
    made = [artifact.created_at for image in images for artifact in image.artifacts.all()]
    moments = ([getattr(image, name) for image in images] for name in _MOMENTS)
    latest = [max((moment for moment in some if moment is not None), default=None) for some in moments]
    rows: list[tuple[Any, ...]] = []
    if made:
        rows.append((len(made), _FILES, *[max(made)] * len(_MOMENTS)))
    if images:
        rows.append((len(images), sum(image.attempt for image in images), *latest))
    return rows
