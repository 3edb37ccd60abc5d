"""Queries for the versions of a picture."""

from __future__ import annotations

from django.db.models import QuerySet

from jobs.errors import NotFound
from jobs.models import Artifact, JobImage, Status, Version
from jobs.results.selectors import artifact_of
from jobs.results.storage import IN_ZIPS

FIRST = 1  # the number of the first result, which has no row


def entry_of(image: JobImage) -> JobImage:
    """Return the picture that a correction corrects. If `image` is not a correction, return `image`."""
    return image.job.corrects or image


def versions_of(image: JobImage) -> QuerySet[Version]:
    """Return a picture's versions that have a result, sorted by number, with their files prefetched."""
    versions = Version.objects.filter(image=image).exclude(
        run__isnull=False, run__status__in=[status for status in Status if status != Status.SUCCEEDED]
    )
    return versions.select_related("run", "file", "thumbnail").prefetch_related("run__images__artifacts")


def version_at(image: JobImage, number: int) -> Version:
    """Return the version of a picture with this number; raise NotFound if there is none.

    The first result (number 1) has no database row and is not found by this function.
    """
    version = versions_of(image).filter(number=number).first()
    if version is None:
        raise NotFound("The picture has no version of this number, or it has been deleted.")
    return version


def thumbnail_of(image: JobImage, version: Version | None) -> Artifact | None:
    """Return the thumbnail of a version; None if it has no thumbnail.

    version: the version; None means the first result.
    """
    if version is None:
        return artifact_of(image, Artifact.Kind.THUMBNAIL)
    return version.thumbnail or artifact_of(run_image_of(image, version), Artifact.Kind.THUMBNAIL)


def run_image_of(image: JobImage, version: Version | None) -> JobImage:
    """Return the picture whose alpha mask a version uses.

    If a job made the version (`version.run`), this is the picture of that job; otherwise it is `image`.
    """
    if version is None or version.run is None:
        return image
    return next(iter(version.run.images.all()), image)


def files_shown(image: JobImage) -> list[Artifact]:
    """Return the files of a picture for zips.

    These are the files of the shown version, or otherwise those of the first result.
    """
    version = image.shown_version
    if version is not None and version.file is not None:
        return [version.file]
    return [file for file in run_image_of(image, version).artifacts.all() if file.kind in IN_ZIPS]
