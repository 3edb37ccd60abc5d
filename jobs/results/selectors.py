"""Queries for the result files that an actor (a user or an API key) may see."""

from __future__ import annotations

from uuid import UUID

from jobs.errors import FileDeleted, NotFound
from jobs.models import Artifact, Job, JobImage
from jobs.teams.actor import Actor
from jobs.work.selectors import jobs_of


def artifact_of(image: JobImage, kind: str) -> Artifact | None:
    """Return a picture's newest stored file (artifact) of one kind; None if there is no such file.

    If the picture's artifacts are prefetched, no query is made.
    """
    found = [artifact for artifact in image.artifacts.all() if artifact.kind == kind]
    return found[-1] if found else None


def bundle_of(job: Job) -> Artifact | None:
    """Return the zip of a job's results; None if the job has no zip."""
    return job.artifacts.filter(kind=Artifact.Kind.ZIP).first()


def artifact_get(actor: Actor, artifact_id: UUID) -> Artifact:
    artifact = Artifact.objects.filter(pk=artifact_id, job__in=jobs_of(actor)).first()
    if artifact is None:
        raise NotFound
    return artifact


def artifact_signed(artifact_id: UUID) -> Artifact:
    """Return the stored file of a signed link; raise NotFound if the file is deleted.

    The caller must have checked the signature.
    """
    artifact = Artifact.objects.filter(pk=artifact_id).first()
    if artifact is None:
        raise NotFound
    return artifact


def file_of(image: JobImage, *kinds: str) -> Artifact:
    """Return a picture's newest file of the first kind in `kinds` that exists.

    Raise NotFound if the picture has no file of these kinds.
    """
    for kind in kinds:
        artifact = artifact_of(image, kind)
        if artifact is not None:
            return artifact
    raise FileDeleted("The result has been deleted.")


def result_of(image: JobImage, *kinds: str) -> Artifact:
    """Return the file that represents a picture's result.

    For a job with recipes, this is the first file that the recipes made. For a job without recipes, it is the newest
    file of the first kind in `kinds` that exists.

    Raise NotFound if there is no such file. If the recipes made no file, the message contains the picture's notes.
    """
    if not image.job.recipes:
        return file_of(image, *kinds)
    finished = [stored for stored in image.artifacts.all() if stored.kind == Artifact.Kind.FINISHED]
    if not finished:
        raise NotFound("; ".join(image.notes) or "The recipe gave no file.")
    return finished[0]


def missing_notes(image: JobImage) -> dict[str, list[str]]:
    """Return `{"notes": [...]}` for the response if no subject was found in the picture; otherwise an empty dict."""
    return {} if image.foreground or not image.notes else {"notes": list(image.notes)}
