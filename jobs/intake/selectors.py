"""Queries for the uploads of a team."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from jobs.errors import UploadNotFound
from jobs.models import Upload
from jobs.teams.actor import Actor


def upload_get(actor: Actor, upload_id: UUID | str) -> Upload:
    """Return an upload of the actor's team. Raise UploadNotFound if it does not exist or has expired."""
    upload = Upload.objects.filter(pk=upload_id, team=actor.team, expires_at__gt=timezone.now()).first()
    if upload is None:
        raise UploadNotFound(field="upload")
    return upload
