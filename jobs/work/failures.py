"""Pictures that failed because of a fault of the site.

Staff can inspect them, retry them, or remove them from the list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.models import Action, FailedPicture, Job, JobImage, Status
from jobs.teams.actor import Actor
from jobs.work.retry import job_retry

# The error codes for which neither the picture nor the caller is responsible.
SITE_ERRORS = ("internal", "storage_failed", "worker_lost", "inference_failed")


def failed_pictures() -> QuerySet[FailedPicture]:
    """Return the pictures that failed because of a fault of the site, newest first.

    Pictures that staff have removed from the list are left out.
    """
    failed = FailedPicture.objects.filter(status=Status.FAILED, error_code__in=SITE_ERRORS, dropped_at=None)
    return failed.select_related("job__team").order_by("-finished_at")


def failed_pictures_retry(*, actor: Actor, images: Iterable[JobImage]) -> int:
    """Queue failed pictures again and charge them; return the number of pictures. Raise the errors of `job_retry`."""
    chosen: dict[Job, list[JobImage]] = defaultdict(list)
    for image in images:
        chosen[image.job].append(image)
    return sum(job_retry(actor=actor, job=job, images=members) for job, members in chosen.items())


def failed_pictures_drop(*, author: Author, images: Iterable[JobImage]) -> int:
    """Remove failed pictures from the list of failures, and return the number of pictures. Their jobs do not change."""
    dropped = 0
    for image in images:
        with transaction.atomic():
            rows = JobImage.objects.filter(pk=image.pk, status=Status.FAILED, dropped_at=None)
            if rows.update(dropped_at=timezone.now()):
                dropped += 1
                audit_append(
                    action=Action.ADMIN_CHANGED,
                    author=author,
                    target=image.job,
                    after={"picture": image.position, "failure": "dropped"},
                )
    return dropped
