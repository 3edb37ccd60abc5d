"""Functions that store a file of a picture and create its database row (an `Artifact`)."""

from __future__ import annotations

from typing import IO

from django.db import transaction

from jobs.errors import JobNotFound
from jobs.models import Artifact, Job, JobImage
from jobs.results import storage
from jobs.results.deletions import files_discard


def artifact_keep(
    *, image: JobImage, kind: Artifact.Kind, key: str, data: bytes, content_type: str, width: int, height: int
) -> Artifact:
    """Store a file of a picture, create its database row, and return the row.

    key: the file's name in the storage.
    width, height: the size of the picture in the file, in pixels.

    Raise StorageFailed if the storage fails, and JobNotFound if the picture has been deleted. After an error, the
    stored file is deleted.
    """
    artifact = artifact_stored(
        image=image, kind=kind, key=key, data=data, content_type=content_type, width=width, height=height
    )
    try:
        with transaction.atomic():
            # The deletion of the job takes this lock too: either it has finished, or it will find the new row.
            Job.objects.select_for_update().filter(pk=image.job_id).first()
            if not JobImage.objects.filter(pk=image.pk).exists():
                raise JobNotFound
            artifact.save(force_insert=True)
    except BaseException as error:
        files_discard(keys=[artifact.key], error=error)
        raise
    return artifact


def artifact_stored(
    *,
    image: JobImage,
    kind: Artifact.Kind,
    key: str,
    data: bytes | IO[bytes],
    content_type: str,
    width: int,
    height: int,
) -> Artifact:
    """Store a file of a picture and return an unsaved row for this file. The caller must save the row.

    key: the file's name in the storage.
    data: the content of the file. A stream is copied in pieces, so its whole content is never in memory.
    width, height: the size of the picture in the file, in pixels.

    Raise StorageFailed if the storage fails.
    """
    stored = storage.store(key, data) if isinstance(data, bytes) else storage.store_stream(key, data)
    return Artifact(
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
