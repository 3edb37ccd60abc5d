"""Zip of the results of many pictures, written while the caller waits."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import PurePosixPath
from uuid import UUID

from django.conf import settings
from django.http import FileResponse

from jobs.models import Artifact, Job, JobImage, Status
from jobs.results import storage
from jobs.results.downloads import download_note
from jobs.teams.actor import Actor


def zip_name(job: Job) -> str:
    """Return the file name of a job's zip."""
    return f"keyline-{job.created_at:%Y%m%d-%H%M%S}.zip"


def zip_response(actor: Actor, images: Iterable[JobImage], name: str) -> FileResponse:
    """Write the published files of finished pictures into a zip on disk and send it; each gets a unique name.

    Records that the actor opened files of jobs that others submitted.
    """
    file = tempfile.TemporaryFile(dir=settings.DATA_DIR)  # noqa: SIM115  the response closes it
    taken: set[str] = set()
    opened: dict[UUID, Artifact] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as bundle:
        for image in images:
            for artifact in image.artifacts.all():
                if image.status == Status.SUCCEEDED and artifact.kind in storage.IN_ZIPS:
                    bundle.writestr(_free_name(artifact.kind, artifact.key, image, taken), storage.read(artifact.key))
                    opened.setdefault(artifact.job_id, artifact)
    for artifact in opened.values():
        download_note(actor=actor, artifact=artifact)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")


def _free_name(kind: str, key: str, image: JobImage, taken: set[str]) -> str:
    stem = PurePosixPath(image.name or str(image.id)).stem
    suffix = "" if kind == "cutout" else f"_{kind}"
    extension = PurePosixPath(key).suffix
    if kind == Artifact.Kind.FINISHED:
        stem, suffix = PurePosixPath(key).stem, ""
    name, number = f"{stem}{suffix}{extension}", 2
    while name in taken:
        name, number = f"{stem}{suffix} ({number}){extension}", number + 1
    taken.add(name)
    return name
