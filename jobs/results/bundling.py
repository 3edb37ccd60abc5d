"""Stage 8, results: the zip of a job and the copies in a server folder, made by a light worker as its last step."""

from __future__ import annotations

import logging
import tempfile
import zipfile
from contextlib import ExitStack
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from jobs.errors import StorageFailed
from jobs.intake.folders import Place, folder_made, place_in, write_file
from jobs.models import Artifact, Job, Status
from jobs.results import storage
from jobs.results.deletions import files_discard
from jobs.work.leases import lease_kept
from jobs.work.lifecycle import job_end
from jobs.work.selectors import images_of
from segmentation.errors import MattingError

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
LEASE_S = 60.0


class _LeaseLost(Exception):
    """Another worker is at this zip by now, or the job has ended or is gone: nothing is left to do here."""


def job_bundle(job_id: str, attempt: int) -> None:
    """Make a job's zip and copies, and end the job with them. A message delivered twice does nothing the second time.

    An error that trying again cannot mend ends the job as failed; after a crash the sweeper asks again, three times.
    Whoever has lost the lease meanwhile leaves the job to the one who holds it.
    """
    job = Job.objects.filter(pk=job_id).first()
    if job is None or not job.claim_bundle(attempt=attempt, lease_s=LEASE_S):
        return
    try:
        with lease_kept(partial(job.renew_bundle, lease_s=LEASE_S), every_s=LEASE_S / 4, name=f"zip {job.id}"):
            _bundle(job)
    except _LeaseLost:
        return
    except MattingError as error:
        _give_up(job, error)
    except Exception:
        logger.exception("the results of job %s could not be bundled", job.id)
        _give_up(job, StorageFailed())


def _bundle(job: Job) -> None:
    if job.bundle_strikes > MAX_ATTEMPTS:
        raise StorageFailed
    with tempfile.TemporaryFile(dir=settings.DATA_DIR) as file:
        _write_bundle(job, file)
        stored = storage.store_stream(job.bundle_key, file)
        if job.export_directory:
            _export_bundle(job, file)
    _finish(job, stored)


def _write_bundle(job: Job, file: IO[bytes]) -> None:
    """Write every result into the zip and, where one is wanted, into the server folder, one picture at a time."""
    with ExitStack() as stack:
        bundle = stack.enter_context(zipfile.ZipFile(file, "w", zipfile.ZIP_STORED))  # pictures shrink no further
        folder = stack.enter_context(folder_made(_export_place(job, job.external_id))) if job.export_directory else None
        for image in images_of(job):
            _require_lease(job)
            for artifact in image.artifacts.all():
                if image.status != Status.SUCCEEDED or artifact.kind not in storage.IN_ZIPS:
                    continue
                _copy(artifact, storage.public_name(artifact, image), bundle, folder)


def _copy(artifact: Artifact, name: str, bundle: zipfile.ZipFile, folder: int | None) -> None:
    made_at = timezone.localtime(artifact.created_at)  # as in the names
    entry = zipfile.ZipInfo(name, date_time=made_at.timetuple()[:6])
    with storage.open_file(artifact.key) as content, bundle.open(entry, "w") as member:
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
    """Check the folder again: roots may have changed, and a link may have been put in its way, since the submission."""
    place = place_in(job.export_directory, settings.MATTING_OUTPUT_ROOTS, field="output_dir")
    return Place(place.root, place.parts + deeper)


def _require_lease(job: Job) -> None:
    if not job.renew_bundle(lease_s=LEASE_S):
        raise _LeaseLost


def _finish(job: Job, stored: storage.StoredFile) -> None:
    with transaction.atomic():
        if Job.objects.select_for_update().filter(pk=job.pk).first() is None:  # deleted meanwhile
            files_discard(keys=[stored.key])
            return
        _require_lease(job)
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


def _give_up(job: Job, error: MattingError) -> None:
    with transaction.atomic():
        if job.renew_bundle(lease_s=LEASE_S):
            job_end(job, error=error)
