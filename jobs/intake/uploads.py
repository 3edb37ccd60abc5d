"""Store pictures that are uploaded before their job is submitted, and delete expired uploads."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.intake.sources import CheckedSource
from jobs.models import Upload
from jobs.quota.charges import usage_check
from jobs.quota.limits import quota_of
from jobs.results import storage
from jobs.results.deletions import files_delete, files_discard
from jobs.teams.actor import Actor
from segmentation.errors import InvalidParameter

UPLOAD_LIFE = dt.timedelta(hours=1)


def upload_store(*, actor: Actor, source: CheckedSource, upload_id: uuid.UUID | None = None) -> Upload:
    """Store a checked picture for the actor's team, and return its Upload row.

    upload_id: the id of the row; None for a random id.

    Raise InvalidParameter if the id is already in use, QuotaExceeded if the team's storage is full, and StorageFailed
    if the file cannot be stored.
    """
    usage_check(team=actor.team, quota=quota_of(actor.team), new_bytes=source.probe.bytes, units=0)
    content_type = f"image/{source.probe.format}"
    extension = storage.EXTENSIONS.get(content_type, "bin")
    # The file gets a unique name: a second upload with the same id must not overwrite the first one's file.
    stored = storage.store(f"teams/{actor.team.id}/uploads/{uuid.uuid4()}.{extension}", source.read())
    try:
        with transaction.atomic():
            return Upload.objects.create(
                id=upload_id or uuid.uuid4(),
                team=actor.team,
                user=actor.user,
                name=source.name,
                key=stored.key,
                content_type=content_type,
                bytes=stored.bytes,
                sha256=stored.sha256,
                width=source.probe.width,
                height=source.probe.height,
                expires_at=timezone.now() + UPLOAD_LIFE,
            )
    except BaseException as error:
        files_discard(keys=[stored.key], error=error)
        if isinstance(error, IntegrityError):
            raise InvalidParameter("key: a file has already been uploaded under this name", field="key") from error
        raise


def uploads_expire(*, limit: int = 500) -> int:
    """Delete at most `limit` expired uploads with their files, and return their number."""
    expired = list(Upload.objects.filter(expires_at__lt=timezone.now()).order_by("expires_at")[:limit])
    with transaction.atomic():
        Upload.objects.filter(id__in=[upload.id for upload in expired]).delete()
        files_delete(keys=(upload.key for upload in expired))
    return len(expired)
