"""Services that save, name and delete versions of a picture, and store the state of its editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from jobs.errors import JobNotFound
from jobs.models import Artifact, Job, JobImage, Version
from jobs.results.deletions import files_delete
from jobs.results.variants import variant_keep
from jobs.teams.actor import Actor
from jobs.versions.corrections import version_number_next
from jobs.work.retention import job_purge

if TYPE_CHECKING:
    from segmentation.variant import VariantFile


def version_save(
    *, image: JobImage, source: JobImage, rendered: VariantFile, edit: dict[str, Any], name: str = ""
) -> Version:
    """Store a rendering of `source` as a new version of a picture, show this version, and return it.

    image: the picture.
    source: the picture or one of its corrections.
    rendered: the file of the rendering.
    edit: the state of the editor.
    name: the name that the user gives to the version; empty means no name.
    Raise the errors of `variant_keep`, and JobNotFound if the picture has been deleted.
    """
    thumbnail = rendered.thumbnail
    file = variant_keep(image=source, rendered=rendered)
    small = variant_keep(image=source, rendered=thumbnail, kind=Artifact.Kind.VARIANT_SMALL) if thumbnail else None
    with transaction.atomic():
        _lock(image)
        version = Version.objects.create(
            image=image,
            number=version_number_next(image),
            name=name,
            run=source.job if source.job.corrects_id else None,
            edit=edit,
            file=file,
            thumbnail=small,
        )
        JobImage.objects.filter(pk=image.pk).update(shown_version=version, edit=edit)
    return version


def version_rename(*, version: Version, name: str) -> None:
    Version.objects.filter(pk=version.pk).update(name=name)
    version.name = name


def version_delete(*, actor: Actor, version: Version) -> None:
    """Delete a version and its files.

    If it was the last version made from a correction, the job of the correction is deleted too.
    """
    image = version.image
    with transaction.atomic():
        _lock(image)
        files = [file for file in (version.file, version.thumbnail) if file is not None]
        keys = [file.key for file in files]
        version.delete()
        Artifact.objects.filter(pk__in=[file.pk for file in files]).delete()
        files_delete(keys=keys)
    run = version.run
    if run is not None and not Version.objects.filter(run=run).exists():
        job_purge(actor=actor, jobs=[run])


def edit_keep(*, image: JobImage, version: Version | None, edit: dict[str, Any]) -> None:
    """Store the state of a picture's editor and the version that the editor shows.

    The editor restores both when the page is opened again.
    version: the shown version; None means the first result.
    """
    JobImage.objects.filter(pk=image.pk).update(edit=edit, shown_version=version)


def _lock(image: JobImage) -> None:
    """Lock a picture's job. Raise JobNotFound if the picture has been deleted.

    Because of the lock, two concurrent versions get different numbers, and a deletion of the job finds all versions.
    """
    Job.objects.select_for_update().filter(pk=image.job_id).first()
    if not JobImage.objects.filter(pk=image.pk).exists():
        raise JobNotFound
