"""Deletion of jobs with their rows and files, on request or when their retention ends."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterable
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import DurationField, F, QuerySet, Value
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.commit import after_commit
from jobs.models import Action, Job, Status
from jobs.results import storage
from jobs.results.deletions import files_delete
from jobs.results.reserve import is_disk_full, reserve_release
from jobs.teams.actor import Actor
from jobs.webhooks.outbox import job_callbacks_forget
from jobs.work import queue
from jobs.work.cancel import images_cancel
from jobs.work.capacity import room_given_back
from jobs.work.ending import job_lock

logger = logging.getLogger(__name__)

_JOBS_PER_QUERY = 200
_LATE_FILES_AFTER = dt.timedelta(hours=1)


def job_purge(*, actor: Actor | None, jobs: Iterable[Job]) -> int:
    """Delete jobs with their rows and files, and the corrections of their pictures; return the number of deleted jobs.

    actor: the author of the audit entries; None means the author `retention`.
    """
    return sum(_purge_on_full_disk(actor, job) for job in jobs)


def jobs_expire(*, at_most_s: float = 10.0) -> int:
    """Delete the jobs whose retention has ended, oldest first, and return the number of deleted jobs.

    If a job cannot be deleted, the other jobs are still deleted.
    at_most_s: the approximate time limit in seconds.
    """
    deadline = time.monotonic() + at_most_s
    count = 0
    failed: set[UUID] = set()
    while batch := list(_expired().exclude(pk__in=failed)[:_JOBS_PER_QUERY]):
        for job in batch:
            try:
                count += job_purge(actor=None, jobs=[job])
            except OperationalError:
                raise  # the database is unavailable, also for the other jobs
            except Exception:
                logger.exception("job %s has expired and could not be deleted", job.pk)
                failed.add(job.pk)
            if time.monotonic() >= deadline:
                return count
    return count


def retention_shorten(*, retention: dt.timedelta, dry_run: bool = False) -> int:
    """Make stored jobs expire at most `retention` after their creation.

    Return how many jobs expire earlier than before.
    dry_run: if True, only count the jobs.
    """
    latest = F("created_at") + Value(retention, output_field=DurationField())
    longer = Job.objects.annotate(latest=latest).filter(expires_at__gt=F("latest"))
    return longer.count() if dry_run else longer.update(expires_at=F("created_at") + retention)


def _expired() -> QuerySet[Job]:
    return Job.objects.select_related("team__quota").filter(expires_at__lt=timezone.now()).order_by("expires_at")


def _purge_on_full_disk(actor: Actor | None, job: Job) -> bool:
    """Delete one job. If the database's disk is full, delete the reserve file to free space, and retry."""
    try:
        return _purge(actor, job)
    except OperationalError as error:
        if not is_disk_full(error) or not reserve_release():
            raise
    return _purge(actor, job)


def _purge(actor: Actor | None, job: Job) -> bool:
    """Delete one job; return False if another process has already deleted it."""
    with transaction.atomic():
        with room_given_back(job):
            if not job_lock(job.pk):
                return False
            is_running = job.images.filter(status=Status.RUNNING).exists()
            images_cancel(job=job)
            job_callbacks_forget(job=job)
            for correction in Job.objects.filter(corrects__job=job):
                _purge(actor, correction)
            keys = _keys_of(job)
            Job.objects.filter(pk=job.pk).delete()
            files_delete(keys=keys)
            if is_running:  # its worker may store a file after this point and be killed before it deletes the file
                files_delete(keys=[storage.folder_of(job)], after=_LATE_FILES_AFTER)
        after_commit(queue.announce_done, job.pk)
        audit_append(
            action=Action.JOB_PURGED,
            author=_author(actor, job),
            target=job,
            before={"status": job.status, "pictures": job.images_total, "dialect": job.dialect},
        )
    return True


def _keys_of(job: Job) -> list[str]:
    """Return the job's storage folder, and the keys of the job's files outside this folder.

    The whole folder is deleted, because a killed worker may leave files without database rows.
    """
    folder = storage.folder_of(job)
    elsewhere = job.artifacts.exclude(key__startswith=folder).values_list("key", flat=True)
    lost = [key for image in job.images.exclude(attempt=0) for key in storage.published_keys(image)]
    return [folder, *elsewhere, *lost]


def _author(actor: Actor | None, job: Job) -> Author:
    """Return the actor as the author of an audit entry.

    Without an actor, the author is named `retention` and acts for the team of the job.
    """
    return Author.of(actor) if actor else Author(name="retention", team_id=job.team_id, team_name=job.team.name)
