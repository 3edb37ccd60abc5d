"""The last step of a job: make the zip of the results, and copy the results to a folder of the server.

Worker processes without a model run this step.
"""

from __future__ import annotations

import datetime as dt
import logging
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import IO

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs.errors import StorageFailed
from jobs.intake.folders import Place, folder_made, place_in, write_file
from jobs.models import Artifact, Bundle, Job, Status
from jobs.results import storage
from jobs.results.bundles import BUNDLE_MAKE, bundle_send
from jobs.results.deletions import files_discard
from jobs.work import queue
from jobs.work.ending import job_end
from jobs.work.faults import FAULT_DELAYS_S, database_retried, is_machine_fault
from jobs.work.leases import LeasedWork, lease_kept, sweep
from jobs.work.registry import runs
from jobs.work.selectors import images_of
from segmentation.errors import MattingError

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
LEASE_S = 60.0
# A message in the queue counts as lost when this time has passed since the request for the zip.
_MISSED_AFTER = dt.timedelta(seconds=30)


class _LeaseLost(Exception):
    """Raised when another worker has taken over the zip, or when the job has ended or has been deleted."""


@runs(BUNDLE_MAKE)
def bundle_make(bundle_id: str) -> None:
    """Make the zip and the copies of a job's results, and end the job.

    After a fault of the machine (disk, memory, database) or a crash, the task is retried, up to MAX_ATTEMPTS times.
    After any other error, the job fails. If the queue sends the same message twice, the second one has no effect.

    bundle_id: the primary key of the job's `Bundle` row.
    """
    bundle = Bundle.objects.filter(pk=bundle_id).first()
    if bundle is None or not bundle.claim(lease_s=LEASE_S):
        return
    try:
        with lease_kept(bundle, lease_s=LEASE_S):
            _bundle(bundle)
    except _LeaseLost:
        return
    except Exception as error:
        _end_with(bundle, error)


def _end_with(bundle: Bundle, error: Exception) -> None:
    if is_machine_fault(error) and bundle.strikes < MAX_ATTEMPTS:
        logger.warning("a fault of this machine stopped the zip of job %s", bundle.job_id, exc_info=error)
        delay_s = FAULT_DELAYS_S[bundle.strikes - 1]
        database_retried(lambda: bundle.release(delay_s=delay_s))
        return
    if not isinstance(error, MattingError):
        logger.error("the results of job %s could not be bundled", bundle.job_id, exc_info=error)
    verdict = error if isinstance(error, MattingError) else StorageFailed()
    database_retried(lambda: _give_up(bundle, verdict))


def bundles_recover() -> int:
    """Queue the zips whose worker has died or whose queue message was lost. Return the number of these zips.

    A background thread (`jobs.running.upkeep`) calls this function regularly.
    """
    return sweep(_Bundles())


class _Bundles(LeasedWork[Bundle]):
    max_strikes = MAX_ATTEMPTS

    def rows(self) -> QuerySet[Bundle]:
        return Bundle.objects.select_related("job").order_by("created_at")

    def due(self) -> QuerySet[Bundle]:
        return Bundle.claimable().filter(created_at__lt=timezone.now() - _MISSED_AFTER).order_by("created_at")

    def sent_ids(self) -> set[str]:
        return queue.waiting_ids(["upkeep"])

    def send(self, rows: Sequence[Bundle]) -> int:
        for bundle in rows:
            bundle_send(bundle)
        return len(rows)

    def give_up(self, row: Bundle) -> bool:
        logger.error("the zip of job %s lost its worker %d times and is given up", row.job_id, row.strikes)
        return _give_up(row, StorageFailed())


def _bundle(bundle: Bundle) -> None:
    job = bundle.job
    with tempfile.TemporaryFile(dir=settings.DATA_DIR) as file:
        _write_bundle(bundle, file)
        stored = storage.store_stream(job.bundle_key, file)
        if job.export_directory:
            _export_bundle(job, file)
    _finish(bundle, stored)


def _write_bundle(bundle: Bundle, file: IO[bytes]) -> None:
    """Write the results into the zip, one picture at a time.

    If the job names a folder of the server, also write the results into this folder.
    """
    job = bundle.job
    with ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(file, "w", zipfile.ZIP_STORED))  # pictures do not compress
        folder = stack.enter_context(folder_made(_export_place(job, job.external_id))) if job.export_directory else None
        for image in images_of(job):
            _require_lease(bundle)
            for artifact in image.artifacts.all():
                if image.status == Status.SUCCEEDED and artifact.kind in storage.IN_ZIPS:
                    _copy(artifact, storage.public_name(artifact, image), archive, folder)


def _copy(artifact: Artifact, name: str, archive: zipfile.ZipFile, folder: int | None) -> None:
    made_at = timezone.localtime(artifact.created_at)  # local time, as in the names
    parts = (made_at.year, made_at.month, made_at.day, made_at.hour, made_at.minute, made_at.second)
    entry = zipfile.ZipInfo(name, date_time=parts)
    with storage.open_file(artifact.key) as content, archive.open(entry, "w") as member:
        while chunk := content.read(2**20):
            member.write(chunk)
    if folder is not None:
        with storage.open_file(artifact.key) as content:
            write_file(folder, name, content)


def _export_bundle(job: Job, file: IO[bytes]) -> None:
    file.seek(0)
    with folder_made(_export_place(job)) as folder:
        write_file(folder, PurePosixPath(job.bundle_key).name, file)


def _export_place(job: Job, *deeper: str) -> Place:
    """Return a place inside the output folder of a job on the server.

    The function checks again that the folder is allowed, because the allowed folders and symbolic links may have
    changed since the submission.

    deeper: the names of subfolders.
    """
    place = place_in(job.export_directory, settings.MATTING_OUTPUT_ROOTS, field="output_dir")
    return Place(place.root, place.parts + deeper)


def _require_lease(bundle: Bundle) -> None:
    if not bundle.renew(lease_s=LEASE_S):
        raise _LeaseLost


def _finish(bundle: Bundle, stored: storage.StoredFile) -> None:
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=bundle.job_id).first()
        if job is None:  # deleted in the meantime
            files_discard(keys=[stored.key])
            return
        _require_lease(bundle)
        Artifact.objects.update_or_create(
            key=stored.key,
            defaults={
                "job": job,
                "kind": Artifact.Kind.ZIP,
                "content_type": "application/zip",
                "bytes": stored.bytes,
                "sha256": stored.sha256,
                "expires_at": job.expires_at,
            },
        )
        job_end(job)


def _give_up(bundle: Bundle, error: MattingError) -> bool:
    with transaction.atomic():
        is_mine = bundle.held().exists()
        if is_mine:
            job_end(bundle.job, error=error)
    return is_mine
