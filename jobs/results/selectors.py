"""Read result files that an actor may see."""

from __future__ import annotations

from uuid import UUID

from jobs.errors import NotFound
from jobs.models import Artifact, Job, JobImage
from jobs.teams.actor import Actor
from jobs.work.selectors import jobs_of


def artifact_of(image: JobImage, kind: str) -> Artifact | None:
    """Return a picture's newest artifact of one kind, from the prefetched ones where they are."""
    found = [artifact for artifact in image.artifacts.all() if artifact.kind == kind]
    return found[-1] if found else None


def bundle_of(job: Job) -> Artifact | None:
    """Return the zip of a job's results, if it has one."""
    return job.artifacts.filter(kind=Artifact.Kind.ZIP).first()


def artifact_get(actor: Actor, artifact_id: UUID) -> Artifact:
    artifact = Artifact.objects.filter(pk=artifact_id, job__in=jobs_of(actor)).first()
    if artifact is None:
        raise NotFound
    return artifact


def artifact_signed(artifact_id: UUID) -> Artifact:
    """Return an artifact for a signed link, whose signature the caller has checked."""
    artifact = Artifact.objects.filter(pk=artifact_id).first()
    if artifact is None:
        raise NotFound
    return artifact
