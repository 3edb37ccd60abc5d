"""Process a stored picture again with other options, as a new job."""

from __future__ import annotations

from jobs.errors import NotFound
from jobs.inference.corrections import correction_note
from jobs.intake.sources import accept_stored, limits_from_json
from jobs.models import Artifact, Job, JobImage
from jobs.recipes.selectors import recipes_from_json
from jobs.results.downloads import download_note
from jobs.results.selectors import artifact_of
from jobs.teams.actor import Actor
from jobs.work.submission import Door, job_submit
from segmentation.options import CutoutOptions


def image_rerun(*, actor: Actor, image: JobImage, options: CutoutOptions, door: Door) -> Job:
    """Submit a picture's stored source as a new job.

    The new job has the recipes of the old one. Raise NotFound when the source is deleted, and the errors of job_submit.
    When another user submitted the source, the audit trail records that the actor opened it.
    """
    source = artifact_of(image, Artifact.Kind.SOURCE)
    if source is None:
        raise NotFound("The picture's source has been deleted.")
    limits = limits_from_json(image.job.limits)
    job = job_submit(
        actor=actor,
        door=door,
        options=options,
        sources=[accept_stored(source.key, name=image.name, limits=limits)],
        limits=limits,
        recipes=recipes_from_json(image.job.recipes),
    )
    if options.boxes or options.points:
        correction_note(image=image)
    download_note(actor=actor, artifact=source)
    return job
