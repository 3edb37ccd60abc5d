"""Stage 8, results: a stored file of a picture and its row, which come together or not at all."""

from __future__ import annotations

from django.db import transaction

from jobs import storage
from jobs.errors import JobNotFound
from jobs.models import Artifact, Job, JobImage
from jobs.services.deletions import files_discard
from segmentation.pipeline import Rendered


def artifact_keep(
    *, image: JobImage, kind: Artifact.Kind, key: str, data: bytes, content_type: str, width: int, height: int
) -> Artifact:
    """Store a file of a picture and make its row.

    Raises StorageFailed, and JobNotFound when the picture was deleted meanwhile; whatever is raised, no file is left.
    """
    stored = storage.store(key, data)
    try:
        with transaction.atomic():
            # Whoever deletes the job holds this lock: they are through by now, or will find the row.
            Job.objects.select_for_update().filter(pk=image.job_id).first()
            if not JobImage.objects.filter(pk=image.pk).exists():
                raise JobNotFound
            return Artifact.objects.create(
                job=image.job,
                image=image,
                kind=kind,
                key=stored.key,
                content_type=content_type,
                bytes=stored.bytes,
                sha256=stored.sha256,
                width=width,
                height=height,
                expires_at=image.job.expires_at,
            )
    except BaseException as error:
        files_discard(keys=[stored.key], error=error)
        raise


def artifact_stored(*, image: JobImage, kind: str, rendered: Rendered) -> Artifact:
    """Store a file of a result and give its row unsaved, for the commit that shows the result; raises StorageFailed."""
    stored = storage.store(storage.key_of_result(image, kind, rendered.extension.lstrip(".")), rendered.data)
    return Artifact(
        job=image.job,
        image=image,
        kind=kind,
        key=stored.key,
        content_type=rendered.content_type,
        bytes=stored.bytes,
        sha256=stored.sha256,
        width=rendered.width,
        height=rendered.height,
        expires_at=image.job.expires_at,
    )
