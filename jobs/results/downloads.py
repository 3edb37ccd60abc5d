"""Audit entries about users who open files of another user's job."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.models import Action, Artifact, AuditEntry, Job
from jobs.teams.actor import Actor

_ONCE_EVERY = dt.timedelta(hours=1)


def download_note(*, actor: Actor, artifact: Artifact) -> None:
    """Record that a user or key other than the submitter opened a file.

    At most one entry per hour is written for each user (or key) and job. The entry belongs to the job's team.
    Thumbnails are not recorded, because the gallery shows them to the whole team.
    """
    job = artifact.job
    if artifact.kind in (Artifact.Kind.THUMBNAIL, Artifact.Kind.PREVIEW) or _is_own(actor, job):
        return
    author = replace(Author.of(actor), team_id=job.team_id, team_name=job.team.name)
    noted = AuditEntry.objects.filter(
        object_id=str(job.pk),
        action=Action.JOB_DOWNLOADED,
        actor_name=author.name,
        key_id=author.key_id,
        at__gt=timezone.now() - _ONCE_EVERY,
    )
    if not noted.exists():
        after = {"kind": artifact.kind, "file": artifact.file_name}
        audit_append(action=Action.JOB_DOWNLOADED, author=author, target=job, after=after)


def _is_own(actor: Actor, job: Job) -> bool:
    if actor.key is not None:
        return actor.key.pk == job.api_key_id
    return actor.user is not None and actor.user.pk == job.user_id
