"""Stages 5 and 8: what happens to a picture once a worker has it, and how its job ends with it."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterable
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from jobs.audit.trail import Author, audit_append
from jobs.commit import after_commit
from jobs.errors import JobNotCancelable, WorkerLost
from jobs.inference.review import uncertain_announce
from jobs.models import Action, Artifact, Job, JobImage, Status
from jobs.quota.charges import usage_charge, usage_check
from jobs.quota.limits import quota_of
from jobs.quota.refunds import usage_refund
from jobs.results import storage
from jobs.results.artifacts import artifact_keep, artifact_stored
from jobs.results.deletions import files_delete, files_discard
from jobs.teams.actor import Actor
from jobs.webhooks.delivery import job_announce, job_callbacks_forget
from jobs.work import queue
from jobs.work.capacity import all_held_release, claim_allowed, room_given_back
from jobs.work.dispatch import images_send
from segmentation.errors import MattingError
from segmentation.pipeline import CutoutResult, Rendered

logger = logging.getLogger(__name__)

_BUNDLE_TASK = "jobs.results.bundling.job_bundle"
_BUNDLE_ASKED_FOR = dt.timedelta(seconds=30)
# Many pictures from a slow storage take longer than the one picture that the queue's own limit is made for.
_BUNDLE_TIMEOUT_S = 3600
_EXPIRED_A_QUERY = 200
_LATE_FILES_AFTER = dt.timedelta(hours=1)


def image_claim(*, image_id: str, worker: str) -> JobImage | None:
    """Take a queued picture under a lease; None when it is gone, done, cancelled, another worker's, or has to wait.

    It has to wait while its team runs as many as it may: then it is held, and queued again when one of them ends.
    """
    image = JobImage.objects.select_related("job__team__quota").filter(pk=image_id).first()
    if image is None:
        return None
    with transaction.atomic():
        if not claim_allowed(image.job):
            image.hold()
            return None
        _job_lock(image.job_id)
        if not image.claim(worker=worker, lease_s=settings.MATTING_LEASE_S):
            return None
        image.job.start()
    return image


def source_attach(*, image: JobImage, data: bytes, content_type: str, width: int, height: int) -> None:
    """Keep the source that the worker has fetched; raise QuotaExceeded where it has no room, and as artifact_keep does.

    Nobody knew its size when the job was submitted, so the team's room is looked at here.
    """
    team = image.job.team
    usage_check(team=team, quota=quota_of(team), pictures=0, new_bytes=len(data))
    extension = storage.EXTENSIONS.get(content_type, "bin")
    artifact_keep(
        image=image,
        kind=Artifact.Kind.SOURCE,
        key=storage.key_of_result(image, Artifact.Kind.SOURCE, extension),
        data=data,
        content_type=content_type,
        width=width,
        height=height,
    )


def image_hand_over(*, image: JobImage, timings_ms: dict[str, float]) -> bool:
    """Queue a picture that is fetched for the workers that cut out; False when this attempt had lost its lease."""
    with transaction.atomic(), room_given_back(image.job):
        handed = image.hand_over(timings_ms=timings_ms)
        if handed:
            after_commit(images_send, [image.pk], urgency=image.job.urgency)
    return handed


def image_succeed(
    *,
    image: JobImage,
    result: CutoutResult,
    timings_ms: dict[str, float],
    model_version: str,
    tier: str = "",
    model_reason: str = "",
) -> bool:
    """Store the result's files and make them visible with one commit; False when this attempt had lost its lease."""
    artifacts: list[Artifact] = []
    try:
        for rendered, kind in _files_of(result):
            key = storage.key_of_result(image, kind, rendered.extension.lstrip("."))
            artifact = artifact_stored(
                image=image,
                kind=kind,
                key=key,
                data=rendered.data,
                content_type=rendered.content_type,
                width=rendered.width,
                height=rendered.height,
            )
            artifacts.append(artifact)
        with transaction.atomic(), room_given_back(image.job):
            _job_lock(image.job_id)
            ended = image.finish(
                Status.SUCCEEDED,
                width=result.width,
                height=result.height,
                foreground=_corners(result.foreground),
                subject=result.subject,
                instances=[
                    {"id": person.id, "box": _corners(person.box), "score": person.score, "area": person.area_px}
                    for person in result.instances
                ],
                uncertainty=result.uncertainty,
                notes=list(result.notes),
                timings_ms=timings_ms,
                model_version=model_version,
                tier=tier,
                model_reason=model_reason,
            )
            if ended:
                Artifact.objects.bulk_create(artifacts)
                uncertain_announce(image=image)
                job_count(image.job_id)
    except BaseException as error:
        files_discard(keys=(artifact.key for artifact in artifacts), error=error)
        raise
    if not ended:
        files_discard(keys=(artifact.key for artifact in artifacts))
    return ended


def image_fail(*, image: JobImage, error: MattingError) -> bool:
    """End a picture with a public code and message; False when this attempt had lost its lease.

    No failure is charged: it was our fault, or the picture turned out to be bad only after its download.
    """
    with transaction.atomic(), room_given_back(image.job):
        _job_lock(image.job_id)
        ended = image.finish(Status.FAILED, error_code=error.code, error_message=error.message[:500])
        if ended:
            usage_refund(job=image.job, image_ids=[image.pk], reason=error.code)
            job_count(image.job_id)
    return ended


def images_recover() -> int:
    """Return the pictures of dead workers to the queue, give up the poisonous, resend lost messages; say how many."""
    now = timezone.now()
    dead = JobImage.objects.select_related("job__team__quota").filter(status=Status.RUNNING, leased_until__lt=now)
    recovered = [image for image in dead[:200] if _recover(image)]
    return len(recovered) + all_held_release() + _resend_lost()


def leases_release(*, worker: str) -> int:
    """Return at once what a worker held that is known to have died, without waiting for its leases to run out."""
    held = JobImage.objects.select_related("job__team__quota").filter(status=Status.RUNNING, claimed_by=worker)
    return sum(_recover(image) for image in held)


def job_cancel(*, actor: Actor, job: Job, only_queued: bool = False) -> Job:
    """Cancel what has not ended; raise JobNotCancelable when all has (or, with `only_queued`, when it has started).

    What had not started is refunded; a picture that was running has cost its work.
    """
    with transaction.atomic():
        with room_given_back(job):
            job = Job.objects.select_for_update().get(pk=job.pk)
            is_open = job.images.exclude(status__in=Job.TERMINAL).exists()  # without one, only the zip is to be made
            if not is_open or (only_queued and job.status != Status.QUEUED):
                raise JobNotCancelable
            before = job.status
            _images_cancel(job)
            job_count(job.pk)
        audit_append(action=Action.JOB_CANCELED, author=Author.of(actor), target=job, before={"status": before})
    job.refresh_from_db()
    return job


def job_retry(*, actor: Actor, job: Job) -> int:
    """Queue again the pictures that failed, as new attempts of the same job, and charge them; say how many.

    What was refused before anything of it was kept cannot be tried again.
    """
    queue.require_available()
    with transaction.atomic():
        _job_lock(job.pk)
        is_there = Q(artifacts__kind=Artifact.Kind.SOURCE) | ~Q(source_url="") | ~Q(source_path="")
        failed = list(job.images.filter(is_there, status=Status.FAILED).distinct())
        if not failed:
            return 0
        usage_charge(job=job, images=failed, quota=quota_of(job.team), reason="retried")
        ids = [image.pk for image in failed]
        JobImage.objects.filter(pk__in=ids).update(
            status=Status.QUEUED,
            error_code="",
            error_message="",
            finished_at=None,
            enqueued_at=timezone.now(),
            attempts_before=F("attempt"),
            timings_ms={},
            charged_on=failed[0].charged_on,
            charged_units=failed[0].charged_units,
        )
        Job.objects.filter(pk=job.pk).update(
            status=Status.QUEUED,
            finished_at=None,
            error_code="",
            error_message="",
            images_failed=job.images.filter(status=Status.FAILED).count(),
            bundle_attempts_before=F("bundle_attempt"),
            bundle_leased_until=None,
        )
        after_commit(images_send, ids, urgency=job.urgency)
        audit_append(action=Action.JOB_RETRIED, author=Author.of(actor), target=job, after={"pictures": len(ids)})
    return len(failed)


def job_purge(*, actor: Actor | None, jobs: Iterable[Job]) -> int:
    """Delete jobs with their rows and files; say how many. Without an actor it is the retention that acts."""
    return sum(_purge(actor, job) for job in jobs)


def _purge(actor: Actor | None, job: Job) -> bool:
    """Delete one job; False when somebody else has deleted it a moment ago."""
    with transaction.atomic():
        with room_given_back(job):
            if not _job_lock(job.pk):
                return False
            is_running = job.images.filter(status=Status.RUNNING).exists()
            _images_cancel(job)
            job_callbacks_forget(job=job)
            keys = _keys_of(job)
            Job.objects.filter(pk=job.pk).delete()
            files_delete(keys=keys)
            if is_running:  # its worker may store a file after this, and be killed before it finds nobody wants it
                files_delete(keys=[storage.folder_of(job)], after=_LATE_FILES_AFTER)
        after_commit(queue.announce_done, job.pk)
        audit_append(
            action=Action.JOB_PURGED,
            author=_purger(actor, job),
            target=job,
            before={"status": job.status, "pictures": job.images_total, "dialect": job.dialect},
        )
    return True


def _keys_of(job: Job) -> list[str]:
    """Name the job's folder as a whole, since a killed worker leaves files without rows, and what lies elsewhere."""
    folder = storage.folder_of(job)
    elsewhere = job.artifacts.exclude(key__startswith=folder).values_list("key", flat=True)
    lost = [key for image in job.images.exclude(attempt=0) for key in storage.published_keys(image)]
    return [folder, *elsewhere, *lost]


def _purger(actor: Actor | None, job: Job) -> Author:
    """Name who purges: the actor, or the site's retention on behalf of the team."""
    return Author.of(actor) if actor else Author(name="retention", team_id=job.team_id, team_name=job.team.name)


def _images_cancel(job: Job) -> None:
    """Cancel what has not ended and refund what had not started. In a transaction that holds the job's lock."""
    unstarted = []
    for image in job.images.exclude(status__in=Job.TERMINAL):
        if image.cancel(only_queued=True):
            unstarted.append(image.pk)
        else:
            image.cancel()
    usage_refund(job=job, image_ids=unstarted, reason="canceled")


def _job_lock(job_id: UUID) -> bool:
    """Lock the job before its pictures, in every deed alike, so that two deeds never wait for each other.

    False when the job is gone.
    """
    return Job.objects.select_for_update().filter(pk=job_id).first() is not None


def jobs_expire(*, at_most_s: float = 10.0) -> int:
    """Delete what has outlived its retention, the oldest first, until all is gone or the time is over; say how many.

    A job that cannot be deleted holds up none of the others.
    """
    deadline = time.monotonic() + at_most_s
    count, failed = 0, set()
    while batch := list(_expired().exclude(pk__in=failed)[:_EXPIRED_A_QUERY]):
        for job in batch:
            try:
                count += job_purge(actor=None, jobs=[job])
            except OperationalError:
                raise  # the database is away: so it will be for the others
            except Exception:
                logger.exception("job %s has expired and could not be deleted", job.pk)
                failed.add(job.pk)
            if time.monotonic() >= deadline:
                return count
    return count


def _expired() -> QuerySet[Job]:
    return Job.objects.select_related("team__quota").filter(expires_at__lt=timezone.now()).order_by("expires_at")


def _recover(image: JobImage) -> bool:
    if image.strikes >= settings.MATTING_MAX_DELIVERIES:
        logger.error("picture %s lost its worker %d times and is given up", image.id, image.strikes)
        return image_fail(image=image, error=WorkerLost())
    with transaction.atomic(), room_given_back(image.job):
        if not image.requeue():
            return False
    logger.warning("picture %s lost worker %s and is queued again", image.id, image.claimed_by)
    images_send([image.id], urgency=image.job.urgency)
    return True


def _resend_lost(*, older_than_s: float = 15.0, limit: int = 500) -> int:
    """Resend messages that no queue holds: Redis lost them, or a worker died between taking one and claiming.

    Every queued picture is looked at, so that none is overlooked behind a backlog of others.
    """
    since = timezone.now() - dt.timedelta(seconds=older_than_s)
    old = JobImage.objects.filter(status=Status.QUEUED, is_held=False, enqueued_at__lt=since)
    if not old.exists():
        return 0
    waiting = queue.waiting_image_ids()
    ids = old.order_by("enqueued_at").values_list("id", flat=True).iterator()
    lost = list(islice((image_id for image_id in ids if str(image_id) not in waiting), limit))
    for image_id, urgency in JobImage.objects.filter(pk__in=lost).values_list("id", "job__urgency"):
        images_send([image_id], urgency=urgency)
    return len(lost)


def job_count(job_id: UUID) -> None:
    """Bring the job's counters in step with its pictures and end it with the last of them. In a transaction."""
    job = Job.objects.select_for_update().get(pk=job_id)
    counts = job.images.aggregate(
        succeeded=Count("id", filter=Q(status=Status.SUCCEEDED)),
        failed=Count("id", filter=Q(status=Status.FAILED)),
        canceled=Count("id", filter=Q(status=Status.CANCELED)),
    )
    job.images_succeeded, job.images_failed = counts["succeeded"], counts["failed"]
    job.save(update_fields=["images_succeeded", "images_failed"])
    if sum(counts.values()) < job.images_total:
        return
    if job.bundle_key and job.images_succeeded:
        _bundle_request(job)
        return
    job_end(job)


def bundles_recover() -> int:
    """Send again for the zips whose maker has died or whose message was lost; say how many. The sweeper calls it."""
    late = Job.objects.exclude(status__in=Job.TERMINAL).filter(bundle_leased_until__lt=timezone.now())
    return sum(_bundle_request(job) for job in late[:200])


def _bundle_request(job: Job) -> bool:
    """Ask a light worker for the zip that ends the job, unless one is at it or has been asked a moment ago."""
    now = timezone.now()
    idle = Q(bundle_leased_until=None) | Q(bundle_leased_until__lt=now)
    rows = Job.objects.filter(idle, pk=job.pk).exclude(status__in=Job.TERMINAL)
    if rows.update(bundle_leased_until=now + _BUNDLE_ASKED_FOR) != 1:
        return False
    asked = {"queue_name": "upkeep", "timeout_s": _BUNDLE_TIMEOUT_S}
    after_commit(queue.enqueue_task, _BUNDLE_TASK, str(job.id), job.bundle_attempt, **asked)
    return True


def job_end(job: Job, *, error: MattingError | None = None) -> None:
    """End a job: succeeded when any picture did, else cancelled when any was, else failed with the first error.

    With `error` it fails whatever its pictures did, and nothing of it is charged. One that has ended stays as it is. In
    a transaction.
    """
    if error is not None:
        ended = job.finish(Status.FAILED, code=error.code, message=error.message)
        if ended:
            usage_refund(job=job, image_ids=list(job.images.values_list("pk", flat=True)), reason=error.code)
    elif job.images_succeeded:
        ended = job.finish(Status.SUCCEEDED)
    elif job.images.filter(status=Status.CANCELED).exists():
        ended = job.finish(Status.CANCELED)
    else:
        first = job.images.filter(status=Status.FAILED).first()
        ended = job.finish(Status.FAILED, code=first.error_code, message=first.error_message)
    if ended:
        job_announce(job=job)
        after_commit(queue.announce_done, job.id)


def _files_of(result: CutoutResult) -> list[tuple[Rendered, str]]:
    files = [(rendered, Artifact.Kind(rendered.kind)) for rendered in result.outputs if rendered.kind != "alpha"]
    return [*files, (result.alpha, Artifact.Kind.ALPHA), (result.thumbnail, Artifact.Kind.THUMBNAIL)]


def _corners(box: object) -> list[int] | None:
    return None if box is None else [box.left, box.top, box.right, box.bottom]
