"""Native API: the ETag of a job, computed from a few numbers of the database."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db.models import Count, Max, Sum

from jobs.models import Job
from jobs.results import storage


def job_etag(job: Job, *, page: str, language: str) -> str:
    """Return an ETag that changes whenever the job's JSON changes, without reading its pictures.

    page and language: further inputs of the JSON. The expiry of its links is included.
    """
    moments = (Max(name) for name in ("enqueued_at", "started_at", "finished_at"))
    pictures = job.images.aggregate(Count("pk"), Sum("attempt"), *moments)
    files = job.artifacts.aggregate(Count("pk"), Max("created_at"))
    state = (job.pk, job.status, job.images_succeeded, job.images_failed, job.finished_at, job.expires_at)
    links_until = storage.link_end(settings.MATTING_LINK_TTL_S)
    text = repr((state, sorted(pictures.items()), sorted(files.items()), links_until, page, language))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
