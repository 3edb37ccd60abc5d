"""Functions that process stored pictures again with other options.

One picture gives a new version of the picture; several pictures give a new job.
"""

from __future__ import annotations

from collections.abc import Sequence

from jobs.errors import FileDeleted
from jobs.inference.corrections import correction_note
from jobs.intake.sources import accept_stored, default_limits, limits_from_json
from jobs.models import Artifact, Job, JobImage
from jobs.recipes.selectors import recipes_from_json
from jobs.results.downloads import download_note
from jobs.results.selectors import artifact_of
from jobs.teams.actor import Actor
from jobs.versions.selectors import entry_of
from jobs.work.submission import Door, job_submit
from segmentation.image import Limits
from segmentation.options import CutoutOptions


def image_rerun(*, actor: Actor, image: JobImage, options: CutoutOptions, door: Door) -> Job:
    """Submit a picture's stored source as a new job, and return the job. The job becomes a version of the picture.

    If `image` is itself a correction, the job becomes a version of the original picture. The new job has the recipes of
    the old job. If another user submitted the source, the audit trail records that the actor opened it.
    options: the options of the new job.
    door: how the new job is submitted.
    Raise FileDeleted if the source is deleted, and the errors of `job_submit`.
    """
    limits = limits_from_json(image.job.limits)
    job = _submitted_again(actor, [image], options, door, limits, corrects=entry_of(image))
    if options.boxes or options.points:
        correction_note(image=image)
    return job


def images_rerun(*, actor: Actor, images: Sequence[JobImage], options: CutoutOptions, door: Door) -> Job:
    """Submit the stored sources of several pictures as one new job, in the given order, and return the job.

    The site's limits apply. The new job has the recipes of the first picture's job. Pictures whose source is deleted
    are left out.
    door: how the job is submitted.
    Raise FileDeleted if no source remains, and the errors of `job_submit`.
    """
    stored = [image for image in images if artifact_of(image, Artifact.Kind.SOURCE)]
    return _submitted_again(actor, stored, options, door, default_limits())


def _submitted_again(
    actor: Actor,
    images: Sequence[JobImage],
    options: CutoutOptions,
    door: Door,
    limits: Limits,
    *,
    corrects: JobImage | None = None,
) -> Job:
    sources = [source for image in images if (source := artifact_of(image, Artifact.Kind.SOURCE))]
    if not sources:
        raise FileDeleted("The picture's source has been deleted.")
    job = job_submit(
        actor=actor,
        door=door,
        options=options,
        sources=[
            accept_stored(source.key, name=image.name, limits=limits)
            for source, image in zip(sources, images, strict=True)
        ],
        limits=limits,
        recipes=recipes_from_json(images[0].job.recipes),
        corrects=corrects,
    )
    for source in {source.job_id: source for source in sources}.values():
        download_note(actor=actor, artifact=source)
    return job
